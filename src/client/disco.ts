/** The client of a Disco master (the seed: `disco.core.Disco`). Without an address the master runs in this process. */
import { CommError } from "../errors.ts";
import { askedResults, finishedAndActive, resultsOfOne } from "./asked-results.ts";
import { badOption } from "./bad-option.ts";
import { DDFS } from "./ddfs/ddfs.ts";
import type { TagSource } from "./ddfs/tag-registry.ts";
import type { DiscoOptions, EventsOptions, RequestOptions, ResultsOptions } from "./disco-options.ts";
import { type Engine, engineOf, type FirstJob, type JobPlace } from "./engine.ts";
import type { AnyReduceOutput, KeyOf, Nothing, ResultPair, Returned, ValueOf, Widen } from "./infer.ts";
import { Job } from "./job.ts";
import { JobDict } from "./job-dict.ts";
import { nameOf } from "./job-name.ts";
import type { AnyJobOptions, JobOptions } from "./job-options.ts";
import { keepAlive } from "./keep-alive.ts";
import type { JobEvent, JobInfo, JobListEntry, MasterApi, NodeInfo, NodeRemoval } from "./master-api.ts";
import { MasterDoor } from "./master-door.ts";
import { shown } from "./option-checks.ts";
import type { JobPack } from "./packs/pack.ts";
import type { ProfileStats } from "./profile/profile-stats.ts";
import { asResults, type ItemOfRef, type JobInput, type JobRef, type ResultItem, type Results } from "./results.ts";
import { type WaitOptions, waitForJob } from "./wait.ts";

export class Disco {
  readonly #engine: Engine;
  readonly #onSubmit: DiscoOptions["onSubmit"];
  readonly #door: MasterDoor;
  #ddfs: DDFS | null = null;

  /**
   * @param address `disco://host[:port]` or `http(s)://…`; of a cluster with several masters all of them, as a list or as
   *   `disco://a,b,c`: the first that answers is asked, and another one when it does not any more. By default `DISCO_MASTER`, else
   *   the embedded engine, which starts on first use
   * @throws DiscoError `bad-address`
   * @throws JobError `unknown-option`, `bad-option`
   */
  constructor(address?: string | readonly string[], options: DiscoOptions = {}) {
    this.#engine = engineOf(address, options);
    this.#door = new MasterDoor(this.#engine);
    this.#onSubmit = options.onSubmit;
  }

  /**
   * Starts a job and returns when it is accepted.
   *
   * @param name `[a-zA-Z0-9_]{1,100}`; the master makes it unique by a suffix
   * @throws JobError before anything is sent: `bad-name`, `unknown-option`, `bad-option`, `bad-input`, `no-such-file`,
   *   `captured-variable` …
   */
  newJob<K, V>(name: string, jobDict: JobDict<K, V>): Promise<Job<K, V>>;
  newJob<
    In extends JobInput,
    E = string,
    // biome-ignore lint/complexity/noBannedTypes: without params there are none.
    P extends object = {},
    K1 = KeyOf<In>,
    V1 = ValueOf<In>,
    RK = K1,
    RV = V1,
    K2 = RK,
    V2 = RV,
    R extends Nothing = Returned,
    O extends AnyReduceOutput = AnyReduceOutput,
  >(
    name: string,
    jobDict: JobOptions<In, E, P, K1, V1, RK, RV, K2, V2, R, O>,
  ): Promise<Job<Widen<ResultPair<K2, V2, R, O>[0]>, Widen<ResultPair<K2, V2, R, O>[1]>>>;
  async newJob(name: string, jobDict: AnyJobOptions | JobDict): Promise<Job> {
    return new Job(this, name).run(jobDict as JobDict);
  }

  /**
   * Starts the job of a job pack and returns when it is accepted. Results of jobs whose worker is a program of their own are files in
   * whatever form it writes: `resultIterator(results, { reader: mapLineReader })` reads lines, `bytesReader` bytes.
   *
   * @param pack a `JobPack`, the bytes of one, or the path of its file
   * @throws JobError `bad-jobpack`, `no-such-file`
   */
  async submitPack(pack: JobPack | Uint8Array | string): Promise<Job> {
    const { submitPack } = await import("./packs/submit-pack.ts");
    return new Job(this, await submitPack(this, pack));
  }

  /**
   * Waits until the job has ended, and returns the addresses of its results, for `resultIterator`.
   *
   * @throws JobError when the job dies, is killed, or has not ended after `timeout` seconds; `failure` is the first fatal error
   *   of a task, with the place in your source
   * @throws DiscoError `unknown-job`
   */
  async wait<K = unknown, V = unknown>(job: JobRef<K, V>, options?: WaitOptions): Promise<Results<K, V>> {
    return asResults(await this.#ask((master) => waitForJob(master, nameOf(job), options)));
  }

  /**
   * The results of a job if there are any within `timeout` ms, else an empty list. Of a list of jobs: waits for at least one to
   * end, and returns `[finished, active]`, lists of `[name, [status, results]]`; the second can be passed back in.
   *
   * @throws JobError when the one job is dead
   * @throws DiscoError when the one job is unknown: `unknown-job`
   */
  results<K = unknown, V = unknown>(job: JobRef<K, V>, options?: ResultsOptions): Promise<Results<K, V>>;
  // biome-ignore lint/suspicious/noExplicitAny: jobs of any types.
  results<J extends JobRef<any, any>>(
    jobs: readonly J[],
    options?: ResultsOptions,
  ): Promise<[finished: ItemOfRef<J>[], active: ItemOfRef<J>[]]>;
  async results(
    jobs: JobRef | readonly JobRef[],
    { timeout = 2000 }: ResultsOptions = {},
  ): Promise<string[] | [ResultItem[], ResultItem[]]> {
    const { isOne, names, timeoutMs } = askedResults(jobs, timeout);
    if (names.length === 0) return [[], []];
    const states = await this.#ask((master) => master.results(names, timeoutMs));
    return isOne ? resultsOfOne(states[0]) : finishedAndActive(states);
  }

  /**
   * The job's events in order, each with the offset behind it: `events(job, offset)` goes on from there. Ends when the job has
   * ended.
   */
  async *events(
    job: JobRef,
    offset = 0,
    options: EventsOptions = {},
  ): AsyncGenerator<[offset: number, event: JobEvent], void> {
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw badOption(`offset: one that events() gave was expected, not ${shown(offset)}`);
    const master = await keepAlive(this.master());
    const events = master.events(nameOf(job), offset, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await keepAlive(events.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await events.return?.();
    }
  }

  /** State, stages, inputs, results and failure of a job. Throws `DiscoError` `unknown-job`. */
  async jobinfo(job: JobRef): Promise<JobInfo> {
    return this.#ask((master) => master.jobInfo(nameOf(job)));
  }

  /** All jobs that the master knows, the newest first. */
  async joblist(): Promise<JobListEntry[]> {
    return this.#ask((master) => master.jobList());
  }

  /** The raw job pack, as it was submitted. */
  async jobspec(job: JobRef): Promise<Uint8Array> {
    return this.#ask((master) => master.jobPack(nameOf(job)));
  }

  /** The job dict of a job that was submitted. */
  async jobdict(job: JobRef): Promise<JobDict> {
    return JobDict.unpack(await this.jobspec(job));
  }

  /** The nodes of the master, with slots, tasks and disk. */
  async nodeinfo(): Promise<NodeInfo[]> {
    return this.#ask((master) => master.nodeInfo());
  }

  /** The nodes and their numbers of worker processes, as Disco's configuration table has them. */
  async config(): Promise<[node: string, slots: string][]> {
    return (await this.#ask((master) => master.configTable())).map(([node, slots]) => [node, slots]);
  }

  /** Addresses of the outputs of the job's map stage, once that has ended. */
  async mapresults(job: JobRef): Promise<string[]> {
    return this.#ask((master) => master.stageResults(nameOf(job), "map"));
  }

  /** Ends a job: whatever of it runs is stopped at once, and it is dead. */
  async kill(job: JobRef): Promise<void> {
    return this.#ask((master) => master.kill(nameOf(job)));
  }

  /** Forgets the job's records. No data is deleted. */
  async clean(job: JobRef): Promise<void> {
    return this.#ask((master) => master.clean(nameOf(job)));
  }

  /** Deletes the job's records and every file of it, on every node. */
  async purge(job: JobRef): Promise<void> {
    return this.#ask((master) => master.purge(nameOf(job)));
  }

  /** Starts no more tasks on a node; what runs there finishes. */
  async blacklist(node: string): Promise<void> {
    return this.#ask((master) => master.blacklist(node));
  }

  async whitelist(node: string): Promise<void> {
    return this.#ask((master) => master.whitelist(node));
  }

  /**
   * Starts no more tasks on a node that is to be taken away; what runs there finishes. `removal` tells when it can go.
   * Throws `DiscoError` `unknown-node`.
   */
  async drain(node: string): Promise<void> {
    return this.#ask((master) => master.drain(node));
  }

  async undrain(node: string): Promise<void> {
    return this.#ask((master) => master.undrain(node));
  }

  /** Whether a node can be taken away, and what it is still needed for. */
  async removal(node: string): Promise<NodeRemoval> {
    return this.#ask((master) => master.removal(node));
  }

  /** An out-of-band value that a task of the job put. Throws `DiscoError` for an unknown key or job. */
  async oobGet(job: JobRef, key: string): Promise<Uint8Array> {
    return this.#ask((master) => master.oobGet(nameOf(job), key));
  }

  /** The keys of all out-of-band values of the job. */
  async oobList(job: JobRef): Promise<string[]> {
    return this.#ask((master) => master.oobList(nameOf(job)));
  }

  /**
   * The CPU profiles of the tasks of a job that was run with `profile: true`, merged: of all, or of one stage (`map`, `reduce`).
   *
   * @throws DiscoError `unknown-job`, `unknown-stage`, `job-active`, `no-profile`
   */
  async profileStats(job: JobRef, mode = ""): Promise<ProfileStats> {
    const { loadProfiles } = await import("./profile/load-profiles.ts");
    return loadProfiles(this, nameOf(job), mode);
  }

  /** The distributed filesystem of the same master, over the same connection. */
  get ddfs(): DDFS {
    this.#ddfs ??= DDFS.at(this);
    return this.#ddfs;
  }

  /**
   * A request to the master's HTTP interface, e.g. `/disco/ctrl/joblist`: the raw reply. POST where there is `data`.
   * @throws CommError `http-404` and the like for replies other than 2xx
   */
  async request(path: string, options: RequestOptions = {}): Promise<string> {
    const { status, body } = await this.#ask((master) =>
      master.request(path.startsWith("/") ? path : `/${path}`, options),
    );
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
    if (status >= 200 && status < 300) return text;
    throw new CommError(`the master answered ${status} to ${path}: ${text.slice(0, 500)}`, {
      code: `http-${status}`,
      retry: status >= 500 ? "here" : "never",
      url: path,
    });
  }

  /** @internal Who will run jobs. */
  get place(): JobPlace {
    return this.#engine.place;
  }

  /** @internal Whose tags those are that its jobs read. */
  get tags(): TagSource {
    return this.#door.tags;
  }

  /** @internal Options that count over those of each job that this object starts. */
  get jobOptions(): { readonly profile?: boolean } {
    return {};
  }

  /** @internal Called by whatever has started a job. */
  submitted(name: string): void {
    this.#onSubmit?.(name);
  }

  /** @internal The interface to the master; connects, or opens the engine, on first use: for a job of which something is known, say. */
  master(first?: FirstJob): Promise<MasterApi> {
    return this.#door.master(first);
  }

  /** Asks the master; the process stays alive until it has answered. */
  #ask<T>(question: (master: MasterApi) => Promise<T>): Promise<T> {
    return keepAlive(this.master().then(question));
  }

  /**
   * Ends the connections to a master elsewhere, where jobs go on; stops the engine in this process and its workers, where jobs that
   * still run are dead afterwards. Results stay.
   */
  close(): Promise<void> {
    return this.#door.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export type { DiscoOptions, WaitOptions };
