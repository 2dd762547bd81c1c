/**
 * Carries out `save-results`: keeps a job's results, or its out-of-band values, in DDFS before the job is ready.
 *
 *   each file ─▶ the node that has it adopts it as a blob ─▶ other nodes copy it ─▶ all files ─▶ tag and results-saved, in one turn
 *
 * RK1. The tag is recorded right before `results-saved`, and only if the try is still the job's: nothing comes between, so that the tag
 *      names what the job's present outputs are (SV2).
 * RK2. Whatever fails, the job hears of it: a try ends by one of the two events, or with this master. The next master begins it anew;
 *      blobs that it does not find again are garbage, and the tag is replaced, not added to.
 * RK3. What was adopted in one try is not adopted again in the next of this master.
 */
import type { BlobTarget } from "../../client/ddfs/ddfs-api.ts";
import type { SaveResults } from "../../core/commands.ts";
import type { DdfsEvent } from "../../core/ddfs/events.ts";
import { isStoreHost } from "../../core/ddfs/names.ts";
import type { MasterEvent, ResultsNotSaved } from "../../core/events.ts";
import type { JobMachine } from "../../core/job/machine.ts";
import { oobTag, oobToken, resultsTag } from "../../core/job/saved-tags.ts";
import { DataError, DiscoError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type { Ddfs } from "../ddfs.ts";
import type { NodeCalls } from "../gc/node-calls.ts";
import {
  indexedOutputs,
  type ListedFile,
  listedFiles,
  oobFiles,
  resultFiles,
  type SavedFile,
  type SavedLink,
} from "./saved-files.ts";

/** The master that records its decisions. */
export interface Keeping {
  readonly machine: { readonly jobs: ReadonlyMap<string, JobMachine> };
  record(events: readonly MasterEvent[]): void;
  committed(): Promise<void>;
}

export interface ResultKeeperParts {
  readonly decider: Keeping;
  /** @throws DiscoError where there is no DDFS */
  readonly ddfs: () => Promise<Pick<Ddfs, "newBlob" | "replicasNow" | "silentNodes" | "tagService">>;
  readonly calls: Pick<NodeCalls, "adopt" | "copy">;
  /** Reads an index of results, of a job whose worker is its own. @throws DiscoError `no-such-file`, `bad-index` … */
  readonly readIndex: (url: string) => Promise<readonly ListedFile[]>;
  /** The node that has the files of a node, should that one have another name by now. */
  readonly holderOf?: (host: string) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Files that are on their way at once, of one job. */
const lanes = 16;
/** Tries that wait for nodes which have not told of their volumes: seven seconds. */
const patientTries = 3;
/** Nodes that are tried for one copy. */
const triesMax = 3;

/** What is to be made again: it is not where it should lie, or not what was written. */
class LostFile extends Error {
  readonly saved: LostOutput;

  constructor(saved: LostOutput, cause: Error) {
    super(cause.message, { cause });
    this.saved = saved;
  }
}

/** The task that has to run again. */
type LostOutput = Pick<SavedFile, "stage" | "task" | "ref">;

/** Files that a try has kept, for the next: addresses of their replicas by place. */
type Kept = Map<string, readonly string[]>;

export class ResultKeeper {
  readonly #parts: ResultKeeperParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  constructor(parts: ResultKeeperParts) {
    this.#parts = parts;
  }

  /** The same try twice is one. */
  keep({ job, attempt }: SaveResults): void {
    const key = `${job} ${attempt}`;
    if (this.#closed || this.#running.has(key)) return;
    const keeping = this.#keep(job, attempt).finally(() => this.#running.delete(key));
    this.#running.set(key, keeping);
  }

  /** Waits for what is on its way; nothing is recorded any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running.values());
  }

  async #keep(name: string, attempt: number): Promise<void> {
    try {
      const events = await this.#try(name, attempt);
      if (this.#isCurrent(name, attempt)) this.#record(events());
      this.#kept.delete(name);
    } catch (error) {
      // Blobs that were kept before may be what is wrong.
      if (error instanceof DiscoError && error.code === "blob-condemned") this.#kept.delete(name);
      if (this.#isCurrent(name, attempt)) this.#record([this.#failed(name, attempt, error)]);
    }
    if (!this.#parts.decider.machine.jobs.has(name)) this.#kept.delete(name);
  }

  /** Resolves with what makes the events of the end, in the turn in which they are recorded. */
  async #try(name: string, attempt: number): Promise<() => MasterEvent[]> {
    const job = this.#parts.decider.machine.jobs.get(name);
    const { save } = job?.spec ?? {};
    if (job === undefined || save === undefined) return () => [];
    const oob = save.oob ? oobFiles(job) : [];
    const saved = { kind: "results-saved", job: name, attempt } as const;
    const address = save.results ? [`tag://${resultsTag(name)}`] : null;
    let ddfs: Awaited<ReturnType<ResultKeeperParts["ddfs"]>>;
    try {
      ddfs = await this.#parts.ddfs();
    } catch (error) {
      // An engine that shares its root with another one has no DDFS: values stay where they are.
      if (save.results || !(error instanceof DiscoError) || error.code !== "root-busy") throw error;
      return () => [{ ...saved, at: this.#parts.now(), results: null }];
    }
    await assertHeard(job, ddfs);
    const results = save.results ? await this.#results(job) : [];
    const sets = await this.#keepAll(name, attempt, [...results, ...oob], ddfs);
    const tags: (() => DdfsEvent)[] = [];
    if (save.results) tags.push(await ddfs.tagService.prepare(resultsTag(name), sets.slice(0, results.length)));
    if (oob.length > 0) tags.push(await ddfs.tagService.prepare(oobTag(name), sets.slice(results.length), oobToken));
    return () => [...tags.map((event) => event()), { ...saved, at: this.#parts.now(), results: address }];
  }

  async #results(job: JobMachine): Promise<readonly (SavedFile | SavedLink)[]> {
    if (job.spec.worker === undefined) return resultFiles(job);
    const stage = job.stages.length - 1;
    const lists: (SavedFile | SavedLink)[][] = [];
    const failures: unknown[] = [];
    const outputs = indexedOutputs(job);
    for (let from = 0; from < outputs.length; from += lanes) {
      const read = outputs.slice(from, from + lanes).map(async (output, i) => {
        try {
          lists[from + i] = listedFiles(job, output, await this.#parts.readIndex(output.index));
        } catch (error) {
          failures.push(isLoss(error) ? new LostFile({ ...output, stage }, error) : error);
        }
      });
      await Promise.all(read);
    }
    throwFirst(failures);
    return lists.flat();
  }

  /** Replicas of each file, in the order of the files. */
  async #keepAll(
    job: string,
    attempt: number,
    files: readonly (SavedFile | SavedLink)[],
    ddfs: Pick<Ddfs, "newBlob" | "replicasNow">,
  ): Promise<(readonly string[])[]> {
    const kept: Kept = this.#kept.get(job) ?? new Map();
    this.#kept.set(job, kept);
    const sets: (readonly string[])[] = new Array(files.length);
    const failures: unknown[] = [];
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < files.length && (failures.length === 0 || failures.every((error) => error instanceof LostFile))) {
        if (!this.#isCurrent(job, attempt)) return;
        const at = next++;
        const file = files[at] as SavedFile | SavedLink;
        if ("url" in file) {
          sets[at] = [file.url];
          continue;
        }
        const key = `${file.ref.host}/${file.file}/${file.label ?? ""}`;
        try {
          const replicas = kept.get(key) ?? (await this.#keepOne(file, ddfs));
          kept.set(key, replicas);
          sets[at] = replicas;
        } catch (error) {
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(lanes, files.length) }, lane));
    throwFirst(failures);
    return sets;
  }

  async #keepOne(saved: SavedFile, ddfs: Pick<Ddfs, "newBlob" | "replicasNow">): Promise<string[]> {
    const { calls, holderOf } = this.#parts;
    const host = holderOf?.(saved.ref.host) ?? saved.ref.host;
    const targets = await placesFor(saved.name, host, ddfs);
    const [{ object, host: store }] = targets as [BlobTarget];
    const isStore = isStoreHost(store);
    const { file, label, size } = saved;
    let stored: StoredBlob;
    try {
      stored = await calls.adopt(host, { object, file, ...(label === undefined ? {} : { label }) }, size);
      if (stored.size !== size) throw wrongSize(saved, stored.size);
    } catch (error) {
      if (isLoss(error)) throw new LostFile(saved, error);
      throw error;
    }
    const first = replicaAddress(isStore ? store : host, stored.volume, object);
    const others = isStore ? [] : targets.filter((target) => target.host !== host);
    const copies = await Promise.all(
      others.map(({ host: to }) => this.#copy(to, object, first, stored, ddfs, targets)),
    );
    return [first, ...copies];
  }

  /** On that node, or another one if it cannot. */
  async #copy(
    to: string,
    object: string,
    source: string,
    { digest, size }: StoredBlob,
    ddfs: Pick<Ddfs, "newBlob">,
    taken: readonly BlobTarget[],
  ): Promise<string> {
    const tried = new Set(taken.map(({ host }) => host));
    for (let host = to, tries = 1; ; tries++) {
      try {
        const { volume } = await this.#parts.calls.copy(host, { object, sources: [source], digest }, size);
        return replicaAddress(host, volume, object);
      } catch (error) {
        if (tries >= triesMax) throw error;
        const [other] = await ddfs.newBlob("another", { replicas: 1, exclude: [...tried] }).catch(() => []);
        if (other === undefined) throw error;
        host = other.host;
        tried.add(host);
      }
    }
  }

  #isCurrent(name: string, attempt: number): boolean {
    const saving = this.#parts.decider.machine.jobs.get(name)?.saving;
    return !this.#closed && saving?.attempt === attempt && saving.wakeAt === 0;
  }

  /** What keeps a master from recording, keeps it from all else: the next one begins the try anew. */
  #record(events: readonly MasterEvent[]): void {
    if (events.length === 0) return;
    const { decider } = this.#parts;
    try {
      decider.record(events);
    } catch {
      return;
    }
    decider.committed().catch(() => undefined);
  }

  #failed(job: string, attempt: number, error: unknown): ResultsNotSaved {
    const reason = error instanceof Error ? error.message : String(error);
    const files = error instanceof LostFiles ? error.files : [];
    const tasks = new Map(files.map(({ saved }) => [`${saved.stage}/${saved.task}`, saved]));
    const lost = [...tasks.values()].map(({ stage, task, ref }) => ({ stage, task, ref }));
    return { kind: "results-not-saved", at: this.#parts.now(), job, attempt, reason, lost };
  }
}

class LostFiles extends Error {
  readonly files: readonly LostFile[];

  constructor(files: readonly LostFile[]) {
    super(files[0]?.message ?? "nothing is lost");
    this.files = files;
  }
}

const lostCodes: ReadonlySet<string> = new Set(["no-such-file", "bad-index", "cut-off"]);

function isLoss(error: unknown): error is DiscoError {
  return error instanceof DiscoError && lostCodes.has(error.code);
}

/** Of several failures one that no task can mend, if there is one; else all that is lost. */
function throwFirst(failures: readonly unknown[]): void {
  if (failures.length === 0) return;
  throw failures.find((error) => !(error instanceof LostFile)) ?? new LostFiles(failures as LostFile[]);
}

function wrongSize({ file, size }: SavedFile, found: number): DataError {
  return new DataError(`${file} has ${found} bytes instead of ${size}`, { code: "cut-off" });
}

/** Saved before all nodes were heard, results would have fewer replicas than they could. Nodes that say nothing are not waited for long. */
async function assertHeard({ saveFailures }: JobMachine, ddfs: Pick<Ddfs, "silentNodes">): Promise<void> {
  const silent = saveFailures < patientTries ? await ddfs.silentNodes() : [];
  if (silent.length === 0) return;
  throw new DiscoError(`it is not known yet what room ${silent.join(", ")} has`, { code: "not-enough-nodes" });
}

/** Nodes for a file's blob, with the one that has the file; or the store that stands for all nodes, which are none of its then. */
async function placesFor(
  name: string,
  host: string,
  ddfs: Pick<Ddfs, "newBlob" | "replicasNow">,
): Promise<BlobTarget[]> {
  const replicas = await ddfs.replicasNow();
  try {
    return await ddfs.newBlob(name, { replicas, include: [host] });
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "unknown-node") throw error;
    const targets = await ddfs.newBlob(name, { replicas });
    if (targets.every((target) => isStoreHost(target.host))) return targets;
    throw error;
  }
}
