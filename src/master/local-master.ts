/** The master as a client in the same process sees it (`client/master-api.ts`): its jobs; the rest is in `operator-desk.ts`. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DdfsApi } from "../client/ddfs/ddfs-api.ts";
import type { JobEvent, JobInfo, JobListEntry, JobResult, TaskPage, TaskQuery } from "../client/master-api.ts";
import type { OobEntry } from "../core/job/info.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { Ddfs } from "../ddfs/ddfs.ts";
import { lazyDdfs } from "../ddfs/lazy-ddfs.ts";
import { DiscoError } from "../errors.ts";
import { answer, requestOf } from "./http/routes.ts";
import type { LocalMasterParts } from "./local-master-parts.ts";
import { OperatorDesk } from "./operator-desk.ts";
import type { MasterCounts, ServedMaster } from "./served-master.ts";
import { stageNumber, stageResults, taskCounts } from "./stage-answers.ts";
import { Submissions } from "./submissions.ts";

/** How often a follower of a job's progress hears of it, at most. */
const progressIntervalMs = 100;
/** The end of a job that found the disk full is told when its files are gone, and no later than this after it. */
const roomPatienceMs = 2_000;
const jobNamePattern = /^[a-zA-Z0-9_@:]{1,200}$/;

export class LocalMaster extends OperatorDesk implements ServedMaster {
  readonly #submissions: Submissions;
  readonly ddfs: DdfsApi;

  constructor(parts: LocalMasterParts) {
    super(parts);
    this.ddfs = lazyDdfs(() => this.openDdfs());
    this.#submissions = new Submissions(parts);
  }

  get incomingDir(): string {
    return this.parts.incomingDir;
  }

  get jobListVersion(): number {
    return this.parts.coordinator.jobListVersion;
  }

  /** There are tags, or were. */
  get usesDdfs(): boolean {
    return this.machine.tags.cluster !== null;
  }

  async openDdfs(): Promise<Ddfs> {
    return await this.parts.ddfs();
  }

  submit(pack: Uint8Array, options: { idempotencyKey?: string; spec?: JobSpec } = {}): Promise<string> {
    return this.#submissions.submit(pack, options.idempotencyKey, options.spec);
  }

  assertAccepting(idempotencyKey?: string): void {
    this.#submissions.assertAccepting(idempotencyKey);
  }

  submitFile(file: string, options: { idempotencyKey?: string } = {}): Promise<string> {
    return this.#submissions.submitFile(file, options.idempotencyKey);
  }

  async results(names: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<JobResult[]> {
    const { coordinator, signals } = this.parts;
    coordinator.assertAlive();
    signal?.throwIfAborted();
    const { jobs } = coordinator.machine;
    if (timeoutMs > 0 && names.length > 0 && names.every((name) => jobs.has(name))) {
      await signals.oneEnds(names, timeoutMs, signal);
      coordinator.assertAlive();
      signal?.throwIfAborted();
    } else if (names.some((name) => jobs.has(name))) {
      await turn();
    }
    const results = names.map((name) => coordinator.machine.result(name));
    await coordinator.assured();
    // Who hears of a full disk tries again at once: what the job leaves behind is not to be in the way then.
    const full = results.filter(({ failure }) => failure?.code === "disk-full");
    await Promise.all(full.map(({ name }) => coordinator.settled(name, roomPatienceMs)));
    return results;
  }

  async jobInfo(name: string): Promise<JobInfo> {
    if (this.machine.jobs.has(name)) await turn();
    const info = this.#info(name);
    await this.parts.coordinator.assured();
    return info;
  }

  async jobList(): Promise<JobListEntry[]> {
    const list = this.machine.list() as JobListEntry[];
    await this.parts.coordinator.assured();
    return list;
  }

  async jobPack(name: string): Promise<Uint8Array> {
    this.#assertKnown(name);
    await this.parts.distant?.pack(name);
    return await this.parts.files.readPack(name);
  }

  async packFile(name: string): Promise<string> {
    this.#assertKnown(name);
    await this.parts.distant?.pack(name);
    return this.parts.files.packFile(name);
  }

  async eventsFile(name: string): Promise<string> {
    this.#assertKnown(name);
    this.parts.logs.flush();
    return this.parts.logs.file(name);
  }

  counts(): MasterCounts {
    const { coordinator } = this.parts;
    const submissions = this.#submissions.accepted;
    return { ...coordinator.journalCounts, submissions, tasks: taskCounts(this.machine) };
  }

  /** Names of nodes, past and present, that may hold files of jobs that are known. */
  hostsOfFiles(): ReadonlySet<string> {
    const { jobs, ended, cluster } = this.machine;
    const hosts = new Set(cluster.nodes.keys());
    for (const { nodes } of ended.values()) for (const host of nodes) hosts.add(host);
    for (const job of jobs.values()) for (const host of job.hosts) hosts.add(host);
    return hosts;
  }

  async stageResults(name: string, stage: string): Promise<string[]> {
    const results = stageResults(this.machine, this.#info(name, { inputs: false }), stage);
    await this.parts.coordinator.assured();
    return results;
  }

  async tasks(name: string, query: TaskQuery = {}): Promise<TaskPage> {
    const { stages } = this.#info(name, { inputs: false });
    if (query.stage !== undefined) stageNumber(name, stages, query.stage);
    const page = this.machine.tasks(name, query) ?? { tasks: [], total: 0, next: null };
    const numbers = new Map(stages.map(({ stage }, number) => [stage, number]));
    const tasks = page.tasks.map((task) => this.parts.progress.addToTask(name, numbers.get(task.stage) ?? 0, task));
    return { ...page, tasks };
  }

  async kill(name: string, reason?: string): Promise<void> {
    this.#assertKnown(name);
    const { coordinator, now } = this.parts;
    if (!this.machine.jobs.has(name)) {
      await coordinator.assured();
      return;
    }
    coordinator.record([{ kind: "job-killed", at: now(), job: name, ...(reason === undefined ? {} : { reason }) }]);
    await coordinator.committed();
    await this.parts.keepAlive.during(coordinator.settled(name));
  }

  async clean(name: string): Promise<void> {
    this.#assertKnown(name);
    const { coordinator, now } = this.parts;
    coordinator.record([{ kind: "job-cleaned", at: now(), job: name }]);
    await coordinator.committed();
    await this.parts.keepAlive.during(coordinator.settled(name));
  }

  /** Jobs that ended more than so many milliseconds ago, the oldest end first; none, where another master leads. */
  collectable(afterMs: number): readonly string[] {
    if (!this.parts.coordinator.leads) return [];
    return this.machine.collectable(this.parts.now(), afterMs);
  }

  /** Also of a job whose records were cleaned: its files may still be there. */
  async purge(name: string): Promise<void> {
    const { coordinator, now } = this.parts;
    if (!jobNamePattern.test(name)) throw unknownJob(name);
    coordinator.record([{ kind: "job-purged", at: now(), job: name }]);
    await coordinator.committed();
    await this.parts.keepAlive.during(coordinator.settled(name));
  }

  async *events(
    name: string,
    offset: number,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<[offset: number, event: JobEvent]> {
    this.#assertKnown(name);
    yield* this.parts.logs.read(name, offset, options);
  }

  async *progress(name: string, options: { intervalMs?: number; signal?: AbortSignal } = {}): AsyncGenerator<JobInfo> {
    const { signals, coordinator } = this.parts;
    const { signal, intervalMs = progressIntervalMs } = options;
    const over = new AbortController();
    const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    try {
      for (;;) {
        const change = signals.nextChange(name, stop);
        const info = this.#info(name, { inputs: false });
        await coordinator.assured();
        yield info;
        if (info.status !== "active" || stop.aborted) return;
        // The end is told at once, all other changes at the pace that was asked for.
        await signals.oneEnds([name], intervalMs, stop);
        if (coordinator.machine.jobs.has(name)) await change;
        if (stop.aborted) return;
      }
    } finally {
      // A change that nobody waits for any more may be long in coming.
      over.abort();
    }
  }

  async oobGet(name: string, key: string): Promise<Uint8Array> {
    return await readFile(await this.oobFile(name, key));
  }

  async oobFile(name: string, key: string): Promise<string> {
    this.#assertKnown(name);
    const entry = this.machine.oob(name).find((one) => one.key === key);
    await this.parts.coordinator.assured();
    if (entry === undefined) {
      const path = this.#bringsWorker(name) ? await this.#keptValue(name, key) : null;
      if (path !== null) return path;
      throw new DiscoError(`${name} has no out-of-band value ${JSON.stringify(key)}`, {
        code: "unknown-key",
        job: name,
        hint: "oobList names those it has.",
      });
    }
    return await this.#valueFile(name, entry);
  }

  async oobList(name: string): Promise<string[]> {
    this.#assertKnown(name);
    const keys = this.machine.oob(name).map(({ key }) => key);
    if (this.#bringsWorker(name)) keys.push(...(await import("./kept-values.ts")).keptKeys(this.machine.tags, name));
    await this.parts.coordinator.assured();
    return keys;
  }

  async request(
    path: string,
    options: { data?: string | Uint8Array; offset?: number } = {},
  ): Promise<{ status: number; body: Uint8Array }> {
    this.parts.coordinator.assertAlive();
    const { status, body } = await answer(requestOf(path, options), this);
    return { status, body };
  }

  async close(): Promise<void> {
    await this.parts.close();
  }

  /** At the node that made it, or where that is gone, from DDFS. */
  async #valueFile(name: string, entry: OobEntry): Promise<string> {
    const { distant, dataDir } = this.parts;
    const own = join(dataDir, entry.file);
    if (distant === undefined && existsSync(own)) return own;
    const kept = (): Promise<string | null> => this.#keptValue(name, entry.key);
    if (distant === undefined) return (await kept()) ?? own;
    if (this.machine.cluster.node(entry.host)?.connected !== true) {
      const path = await kept().catch(() => null);
      if (path !== null) return path;
    }
    try {
      return await distant.value(name, entry);
    } catch (error) {
      const path = await kept().catch(() => null);
      if (path === null) throw error;
      return path;
    }
  }

  /** As DDFS has it; `null`: it has none of that key. */
  async #keptValue(name: string, key: string): Promise<string | null> {
    const { keptValue } = await import("./kept-values.ts");
    const { files, ddfs } = this.parts;
    return await keptValue(this.machine.tags, name, key, { files, ddfs });
  }

  /** Such workers put their out-of-band values into DDFS themselves. */
  #bringsWorker(name: string): boolean {
    return (this.machine.jobs.get(name)?.spec.worker ?? this.machine.ended.get(name)?.worker) !== undefined;
  }

  #assertKnown(name: string): void {
    if (!this.machine.knows(name)) throw unknownJob(name);
  }

  #info(name: string, options: { readonly inputs?: boolean } = {}): JobInfo {
    const info = this.machine.info(name, options);
    if (info === undefined) throw unknownJob(name);
    return this.parts.progress.addTo(info);
  }
}

/** The engine lives in the event loop of who asks: asked in a loop, it must get its turns, or nothing ever changes. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function unknownJob(name: string): DiscoError {
  return new DiscoError(`there is no job ${name}`, {
    code: "unknown-job",
    job: name,
    hint: "`disco jobs` and joblist() name all jobs.",
  });
}
