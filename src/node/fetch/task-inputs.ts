/**
 * What tasks read of other nodes' outputs is brought here before they are given to a worker: workers read files of this node only.
 *
 *   manifest of the stage ──▶ outputs that the task reads ──▶ of other nodes? ──▶ one fetch a node ──▶ one file each
 *                                                                                       └──▶ a manifest of the task's own
 *
 * Tasks that wait behind running ones fetch meanwhile, so that the line and the processors work at the same time. A task's files
 * are deleted when it has ended.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { StageManifest, TaskInput } from "../../core/job/spec.ts";
import { decodeManifest, encodeManifest, type FetchedManifest } from "../../protocol/manifest-file.ts";
import type { AttemptId } from "../../protocol/messages.ts";
import { jobDirectory } from "../job-directory.ts";
import { type JobHome, writeWhole } from "../job-home.ts";
import type { WantedOutput } from "./missing-output.ts";
import { fetchOutputs } from "./outputs-fetch.ts";
import type { Peers } from "./peers.ts";

export interface TaskInputsOptions {
  /** Name of this node. */
  readonly host: string;
  readonly peers: Peers;
  /** How long a node that gives nothing is asked again. Default: 20 s. */
  readonly patienceMs?: number | undefined;
}

type StageInput = Extract<TaskInput, { kind: "stage" }>;

interface Fetched {
  readonly abort: AbortController;
  /** Absolute paths of what was made, or may have been. */
  readonly files: string[];
  done: Promise<unknown>;
}

export class TaskInputs {
  readonly #options: TaskInputsOptions;
  /** By job: the manifest that was read last. Decoded it is large, and the tasks of a stage all read the same. */
  readonly #manifests = new Map<string, { readonly file: string; readonly manifest: Promise<StageManifest> }>();
  /** By job, then by attempt. */
  readonly #fetched = new Map<string, Map<string, Fetched>>();

  constructor(options: TaskInputsOptions) {
    this.#options = options;
  }

  /**
   * The manifest's file for one attempt: the stage's own where all that it reads lies on this node.
   * @throws MissingOutput; DiscoError `peer-refused`; an error of the file system; AbortError when it was dropped meanwhile
   */
  async prepare(id: AttemptId, home: JobHome, input: StageInput, manifestFile: string): Promise<string> {
    const fetched: Fetched = { abort: new AbortController(), files: [], done: Promise.resolve() };
    let ofJob = this.#fetched.get(id.job);
    if (ofJob === undefined) this.#fetched.set(id.job, (ofJob = new Map()));
    ofJob.set(keyOf(id), fetched);
    const making = this.#make(id, home, input, manifestFile, fetched);
    fetched.done = making.catch(() => undefined);
    try {
      return await making;
    } catch (error) {
      this.drop(id);
      throw error;
    }
  }

  /** The attempt has ended, or will not begin: ends its fetches and deletes what they brought. */
  drop(id: AttemptId): void {
    const ofJob = this.#fetched.get(id.job);
    const fetched = ofJob?.get(keyOf(id));
    if (ofJob === undefined || fetched === undefined) return;
    ofJob.delete(keyOf(id));
    if (ofJob.size === 0) this.#fetched.delete(id.job);
    void remove(fetched);
  }

  /** Resolves when nothing of the job is being fetched, and its files are gone. */
  async forget(job: string): Promise<void> {
    this.#manifests.delete(job);
    const ofJob = this.#fetched.get(job);
    this.#fetched.delete(job);
    if (ofJob !== undefined) await Promise.all([...ofJob.values()].map(remove));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#fetched.keys()].map((job) => this.forget(job)));
    this.#options.peers.close();
  }

  async #make(
    id: AttemptId,
    home: JobHome,
    input: StageInput,
    manifestFile: string,
    { abort, files }: Fetched,
  ): Promise<string> {
    const manifest = await this.#manifest(id.job, manifestFile);
    abort.signal.throwIfAborted();
    const wanted = selected(manifest, input);
    const remote = Map.groupBy(wanted, ({ ref }) => ref.host);
    remote.delete(this.#options.host);
    if (remote.size === 0) return manifestFile;
    const { peers, patienceMs } = this.#options;
    const name = `fetched-${id.stage}-${id.task}-${id.attempt}`;
    const places = new Map<WantedOutput, FetchedManifest["outputs"][number]>();
    const fetchOne = async ([host, outputs]: readonly [string, readonly WantedOutput[]], i: number): Promise<void> => {
      const path = join(home.systemDir, `${name}-${i}`);
      files.push(path);
      const found = await fetchOutputs({
        peers,
        host,
        jobDir: jobDirectory(host, home.job),
        outputs,
        label: input.label,
        path,
        file: `${home.jobDir}/.disco/${name}-${i}`,
        signal: abort.signal,
        ...(patienceMs === undefined ? {} : { patienceMs }),
      });
      for (const [at, place] of found.entries()) {
        const output = outputs[at] as WantedOutput;
        places.set(output, { ...output, place });
      }
    };
    const fetches = await Promise.allSettled(
      [...remote].map((one, i) =>
        fetchOne(one, i).catch((error: unknown) => {
          // One that cannot be had makes the others worthless.
          abort.abort(error);
          throw error;
        }),
      ),
    );
    // Of the first that failed: the others were told of it.
    if (fetches.some(({ status }) => status === "rejected")) throw abort.signal.reason;
    const file = join(home.systemDir, `${name}.json`);
    files.push(file);
    const outputs: FetchedManifest["outputs"] = wanted.map((output) => places.get(output) ?? output);
    await writeWhole(file, encodeManifest({ ...manifest, outputs }));
    return file;
  }

  #manifest(job: string, file: string): Promise<StageManifest> {
    const known = this.#manifests.get(job);
    if (known?.file === file) return known.manifest;
    const manifest = readFile(file, "utf8").then(decodeManifest);
    this.#manifests.set(job, { file, manifest });
    manifest.catch(() => this.#manifests.delete(job));
    return manifest;
  }
}

/** The outputs that a task reads. */
function selected({ outputs }: StageManifest, { task, host }: StageInput): StageManifest["outputs"] {
  if (task === undefined) return host === undefined ? outputs : outputs.filter(({ ref }) => ref.host === host);
  // Ascending: each of thousands of tasks looks for its one.
  let from = 0;
  for (let to = outputs.length; from < to; ) {
    const middle = (from + to) >> 1;
    if ((outputs[middle]?.task ?? 0) < task) from = middle + 1;
    else to = middle;
  }
  const found = outputs[from];
  return found?.task === task && (host === undefined || found.ref.host === host) ? [found] : [];
}

async function remove({ abort, files, done }: Fetched): Promise<void> {
  abort.abort();
  await done;
  for (const file of files) await rm(file, { force: true }).catch(() => undefined);
}

function keyOf({ stage, task, attempt }: AttemptId): string {
  return `${stage}/${task}/${attempt}`;
}
