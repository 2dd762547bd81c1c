/**
 * The output of a foreign task: what its worker claims is looked at, and becomes an index in Disco's `dir://` format.
 *
 * O1. The worker is dead when this begins: what is found stays so.
 * O2. A file is a regular one below the job home, reached by no link, of the size that was claimed, and on the disk (fsync) before the
 *     index names it; the index is on the disk before the attempt is reported as done.
 * O3. The digest says what was written, never under which names: two attempts that wrote the same have the same.
 *
 * An index has lines of words: a file whose path has a space, or what a URL would read as something else, gets a second name (a hard
 * link) in `.disco`, by which it is listed.
 */
import { createHash } from "node:crypto";
import { link, lstat, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { LabelSize, TaskOutput } from "../../core/job/spec.ts";
import { DiscoError, type TaskFailure } from "../../errors.ts";
import { indexFile } from "../../protocol/checksums.ts";
import type { WorkerTask } from "../../protocol/messages.ts";
import { formatIndex, type IndexEntry } from "../../schemes/dir.ts";
import { openContained } from "../data-server/contained-file.ts";
import { diskFullHint, isDiskFull } from "../disk.ts";
import type { JobHome } from "../job-home.ts";
import { indexBytesMax } from "./limits.ts";
import type { ClaimedOutput } from "./session.ts";

export interface OutputPlace {
  readonly home: Pick<JobHome, "jobDir" | "workDir">;
  /** Name of the node. */
  readonly host: string;
  /** The number that the job knows the task by. */
  readonly taskId: number;
  /** What an address that the worker was given is called in the rest of the cluster. */
  readonly addressFromWorker: (url: string) => string;
}

interface CheckedOutput {
  readonly entry: IndexEntry;
  /** Stands for the contents. */
  readonly contents: string;
}

/** Files that are open at once. */
const filesAtOnce = 8;
const pieceBytes = 1_024 * 1_024;
/** What a path may have that is listed as it is. */
const plainPath = /^[A-Za-z0-9._~!$&'()*+,;=:@/-]+$/;

/**
 * `signal`: nobody wants to know any more.
 * @throws DiscoError `bad-output` naming the claim that is not true; an error of the file system; the signal's reason
 */
export async function collectOutputs(
  task: WorkerTask,
  claims: readonly ClaimedOutput[],
  place: OutputPlace,
  signal?: AbortSignal,
): Promise<Omit<TaskOutput, "peakRss">> {
  const attempt = `${task.stageName.replace(/[^A-Za-z0-9_.-]/g, "_")}-${place.taskId}-${task.attempt}`;
  const checked: CheckedOutput[] = [];
  for (let from = 0; from < claims.length; from += filesAtOnce) {
    const some = claims.slice(from, from + filesAtOnce);
    checked.push(...(await Promise.all(some.map((claim, i) => check(claim, `${attempt}.${from + i}`, place, signal)))));
  }
  const { jobDir, workDir } = place.home;
  const text = formatIndex(checked.map(({ entry }) => entry));
  const length = Buffer.byteLength(text);
  if (length > indexBytesMax) {
    throw badOutput(
      `the list of the worker's ${claims.length} outputs has ${length} bytes: ${indexBytesMax} are allowed`,
    );
  }
  const file = indexFile(attempt, text);
  signal?.throwIfAborted();
  await writeSynced(join(workDir, file), text);
  const path = `${jobDir}/${file}`;
  return {
    ref: { host: place.host, file: path, at: 0, length, digest: digestOf(checked) },
    labels: labelsOf(checked),
    index: `dir://${place.host}/disco/${path}`,
    recordsIn: 0,
    recordsOut: checked.length,
    bytesIn: 0,
  };
}

export function outputFailure(error: unknown): TaskFailure {
  if (error instanceof DiscoError) {
    const { code, name, message, retry, hint } = error;
    return { code, name, message, retry, ...(hint === undefined ? {} : { hint }) };
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const text = `the task's outputs could not be kept: ${message}`;
  if (isDiskFull(error)) return { code: "disk-full", name, message: text, retry: "elsewhere", hint: diskFullHint };
  return { code: "bad-output", name, message: text, retry: "elsewhere" };
}

async function check(
  claim: ClaimedOutput,
  name: string,
  place: OutputPlace,
  signal: AbortSignal | undefined,
): Promise<CheckedOutput> {
  const { label, size } = claim;
  if (claim.place.kind === "address") {
    const url = place.addressFromWorker(claim.place.url);
    return { entry: { label, url, size }, contents: `${label} ${size} ${url}` };
  }
  const { segments } = claim.place;
  const path = segments.join("/");
  const opened = await openContained(place.home.workDir, segments);
  if (opened.kind !== "file") throw await wrongFile(path, opened.kind, place.home.workDir);
  const { handle } = opened;
  try {
    if (opened.size !== size) {
      throw badOutput(`the worker announced its output ${path} with ${size} bytes: it has ${opened.size}`);
    }
    let crc = 0;
    const piece = Buffer.allocUnsafe(Math.min(size, pieceBytes));
    for (let at = 0; at < size; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(piece, 0, piece.length, at);
      if (bytesRead === 0) throw badOutput(`the worker's output ${path} became shorter while it was read`);
      crc = crc32(piece.subarray(0, bytesRead), crc);
      at += bytesRead;
    }
    await handle.datasync();
    const listed = plainPath.test(path) ? path : await secondName(segments, name, place.home.workDir);
    const url = `disco://${place.host}/disco/${place.home.jobDir}/${listed}`;
    return { entry: { label, url, size }, contents: `${label} ${size} ${crc}` };
  } finally {
    await handle.close();
  }
}

async function secondName(segments: readonly string[], name: string, home: string): Promise<string> {
  const listed = `.disco/${name}.data`;
  const file = join(home, listed);
  await rm(file, { force: true });
  await link(join(home, ...segments), file);
  return listed;
}

async function wrongFile(path: string, kind: "directory" | "none" | "busy", home: string): Promise<DiscoError> {
  if (kind === "busy") return new DiscoError("the node has no file handle left", { code: "busy", retry: "elsewhere" });
  if (kind === "directory") return badOutput(`the worker's output ${path} is a folder`);
  const found = await lstat(join(home, path)).catch(() => null);
  if (found === null) return badOutput(`the worker announced an output that it did not write: ${path}`);
  return badOutput(`the worker's output ${path} is no regular file, or is reached by a link`);
}

function badOutput(message: string): DiscoError {
  return new DiscoError(message, {
    code: "bad-output",
    retry: "elsewhere",
    hint: "OUTPUT is [label, path below the job home, size in bytes], sent when the file is written and closed.",
  });
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o644);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

function digestOf(checked: readonly CheckedOutput[]): string {
  const hash = createHash("sha256");
  for (const contents of checked.map((each) => each.contents).sort()) hash.update(`${contents}\n`);
  return hash.digest("hex").slice(0, 32);
}

/** Each label that is in the index, ascending. It has a record at least, so that there is a task for what is empty. */
function labelsOf(checked: readonly CheckedOutput[]): LabelSize[] {
  const sizes = new Map<number, LabelSize>();
  for (const { entry } of checked) {
    const { label, bytes, records } = sizes.get(entry.label) ?? { label: entry.label, bytes: 0, records: 0 };
    sizes.set(label, { label, bytes: bytes + entry.size, records: records + 1 });
  }
  return [...sizes.values()].sort((a, b) => a.label - b.label);
}
