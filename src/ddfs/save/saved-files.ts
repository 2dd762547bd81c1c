/** What of a job is to be kept: files of its nodes, with the names that their blobs will have, and what is kept elsewhere already. */
import type { JobMachine } from "../../core/job/machine.ts";
import type { OutputRef } from "../../core/job/spec.ts";

/** A file that a task left. */
export interface SavedFile {
  /** What the blob is called. */
  readonly name: string;
  readonly stage: number;
  readonly task: number;
  /** The task's output: with it the file was lost. */
  readonly ref: OutputRef;
  /** Relative to the data directory of `ref.host`. */
  readonly file: string;
  /** `file` is an index of results, and the file is the one that it lists for this label. Absent: `file` is the file. */
  readonly label?: number;
  /** Bytes. */
  readonly size: number;
}

/** An output that lies somewhere else, where its worker has put it: nothing of it has to be kept. */
export interface SavedLink {
  readonly url: string;
}

/** A line of an index of results. */
export interface ListedFile {
  readonly label: number;
  readonly url: string;
  /** Bytes. */
  readonly size: number;
}

/** Outputs of a task of the last stage, and the `dir://` address of the index that lists them. */
export interface IndexedOutput {
  readonly task: number;
  readonly ref: OutputRef;
  readonly index: string;
}

/** Of a job whose worker is its own, in the order of its results. */
export function indexedOutputs({ stages }: JobMachine): IndexedOutput[] {
  const last = stages.at(-1);
  if (last === undefined) return [];
  return [...last.inOrder()]
    .map((task) => ({ task, index: last.outputs.index(task) }))
    .filter((output): output is { task: number; index: string } => output.index !== undefined)
    .map(({ task, index }) => ({ task, index, ref: last.outputs.ref(task) }));
}

/** What an index lists, in its order: files in the job's home on the node that ran the task, and addresses of anything else. */
export function listedFiles(
  { name, stages }: JobMachine,
  { task, ref }: IndexedOutput,
  entries: readonly ListedFile[],
): (SavedFile | SavedLink)[] {
  const number = stages.length - 1;
  // Names of blobs have no dots.
  const stage = (stages[number]?.spec.name ?? "").replaceAll(".", "_");
  // The index lies in the home of the job, as do the files that it lists.
  const home = ref.file.split("/").slice(0, 3).join("/");
  return entries.map(({ url, size }, n) => {
    const [, file] = /^disco:\/\/[^/]+\/disco\/(.+)$/s.exec(url) ?? [];
    if (file === undefined || !file.startsWith(`${home}/`)) return { url };
    return { name: `${name}-${stage}-${task}-${n}`, stage: number, task, ref, file, size };
  });
}

/** Files of results in their order: by task of the last stage, then as its index lists them. */
export function resultFiles({ name, stages }: JobMachine): SavedFile[] {
  const last = stages.at(-1);
  if (last === undefined) return [];
  const files: SavedFile[] = [];
  for (const task of last.inOrder()) {
    if (last.outputs.index(task) === undefined) continue;
    const ref = last.outputs.ref(task);
    last.outputs.eachLabel(task, (label, bytes) => {
      const blob = `${name}-${last.spec.name}-${task}-${label}`;
      files.push({ name: blob, stage: last.number, task, ref, file: ref.file, label, size: bytes });
    });
  }
  return files;
}

/** Out-of-band values, one a key, in the order of keys: of several with one key the later stage's, then the higher task's (`oobOf`). */
export function oobFiles({ stages }: JobMachine): SavedFile[] {
  const byKey = new Map<string, SavedFile>();
  for (const { number, outputs } of stages) {
    for (const task of outputs.tasksWithOob()) {
      const ref = outputs.ref(task);
      for (const { key, file, size } of outputs.oob(task))
        byKey.set(key, { name: key, stage: number, task, ref, file, size });
    }
  }
  return [...byKey.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
