/** A master that runs nothing: tests say what became of a job. */
import type { JobStatus } from "../core/job/spec.ts";
import { lazyDdfs } from "../ddfs/lazy-ddfs.ts";
import { DiscoError } from "../errors.ts";
import { Disco, type DiscoOptions } from "./disco.ts";
import type {
  ConfigTable,
  JobEvent,
  JobInfo,
  JobListEntry,
  JobResult,
  MasterApi,
  MasterInfo,
  MasterSettings,
  NodeInfo,
  NodeRemoval,
  TaskPage,
} from "./master-api.ts";

export class FakeMaster implements MasterApi {
  readonly ddfs = lazyDdfs(() => Promise.reject(new DiscoError("it has no DDFS", { code: "not-yet" })));
  readonly packs: Uint8Array[] = [];
  readonly calls: string[] = [];
  readonly #jobs = new Map<string, JobResult>();
  readonly #waiting = new Set<() => void>();
  shown: JobEvent[] = [];
  saved: MasterSettings = { maxFailureRate: 100, acceptNewJobs: true };
  table: ConfigTable = [["localhost", "3"]];
  #asked = Promise.withResolvers<void>();

  /** Settles when somebody asks for results and has to wait. */
  nextQuestion(): Promise<void> {
    this.#asked = Promise.withResolvers<void>();
    return this.#asked.promise;
  }

  /** Makes `name` known as `status`; wakes those who wait. */
  set(name: string, status: JobStatus, rest: Partial<JobResult> = {}): void {
    this.#jobs.set(name, { name, status, results: [], reason: null, failure: null, ...rest });
    for (const wake of this.#waiting) wake();
  }

  async submit(pack: Uint8Array): Promise<string> {
    this.packs.push(pack);
    const name = `job@0:0:${this.packs.length}`;
    this.set(name, "active");
    return name;
  }

  async results(names: readonly string[], timeoutMs: number): Promise<JobResult[]> {
    this.calls.push(`results ${names.join()} ${timeoutMs}`);
    const now = (): JobResult[] =>
      names.map(
        (name) => this.#jobs.get(name) ?? { name, status: "unknown_job", results: [], reason: null, failure: null },
      );
    const before = now();
    if (timeoutMs === 0 || before.some(({ status }) => status !== "active")) return before;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    const check = (): void => {
      if (now().some(({ status }, i) => status !== before[i]?.status)) resolve();
    };
    this.#waiting.add(check);
    this.#asked.resolve();
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(check);
    return now();
  }

  async *events(name: string, offset: number): AsyncGenerator<[number, JobEvent]> {
    this.calls.push(`events ${name} ${offset}`);
    for (const [i, event] of this.shown.entries()) if (i >= offset) yield [i + 1, event];
  }

  async request(path: string): Promise<{ status: number; body: Uint8Array }> {
    this.calls.push(`request ${path}`);
    return path === "/disco/version"
      ? { status: 200, body: Buffer.from('"0.5.4"') }
      : { status: 404, body: Buffer.from("Not found.") };
  }

  async nodeInfo(): Promise<NodeInfo[]> {
    const numbers = { tasksOk: 0, tasksFailed: 0, dataErrors: 0, diskFreeBytes: 0, diskUsedBytes: 0 };
    return [{ name: "localhost", slots: 3, connected: true, blacklisted: false, ...numbers, tasks: [], labels: {} }];
  }

  async jobInfo(name: string): Promise<JobInfo> {
    const { status, results, reason, failure } = this.#known(name);
    const never = { owner: "me", submittedAt: 0, endedAt: null, stages: [], inputs: [], hosts: [], peakRss: 0 };
    return { name, status, results, reason, failure, ...never, waits: ["nobody works"] };
  }

  #known(name: string): JobResult & { status: JobStatus } {
    const found = this.#jobs.get(name);
    if (found !== undefined && found.status !== "unknown_job") return { ...found, status: found.status };
    throw new DiscoError("none", { code: "unknown-job" });
  }

  async jobList(): Promise<JobListEntry[]> {
    return [...this.#jobs.values()].map(({ name, status }) => ({ name, status: status as JobStatus, submittedAt: 0 }));
  }

  async jobPack(): Promise<Uint8Array> {
    return this.packs[0] ?? new Uint8Array();
  }

  async stageResults(name: string, stage: string): Promise<string[]> {
    return [`${name} ${stage}`];
  }

  kill = async (name: string): Promise<void> => void this.calls.push(`kill ${name}`);
  clean = async (name: string): Promise<void> => void this.calls.push(`clean ${name}`);
  purge = async (name: string): Promise<void> => void this.calls.push(`purge ${name}`);
  drain = async (node: string): Promise<void> => void this.calls.push(`drain ${node}`);
  undrain = async (node: string): Promise<void> => void this.calls.push(`undrain ${node}`);
  removal = async (host: string): Promise<NodeRemoval> => {
    return { host, draining: true, attempts: 0, jobs: [], resultsOfJobs: 0, safe: true };
  };
  blacklist = async (node: string): Promise<void> => void this.calls.push(`blacklist ${node}`);
  whitelist = async (node: string): Promise<void> => void this.calls.push(`whitelist ${node}`);
  gcBlacklist = async (): Promise<string[]> => ["gone"];
  gcBlacklistNode = async (node: string): Promise<void> => void this.calls.push(`gcBlacklist ${node}`);
  gcWhitelistNode = async (node: string): Promise<void> => void this.calls.push(`gcWhitelist ${node}`);
  settings = async (): Promise<MasterSettings> => this.saved;
  configTable = async (): Promise<ConfigTable> => this.table;
  tasks = async (): Promise<TaskPage> => ({ tasks: [], total: 0, next: null });

  async saveSettings(changes: Partial<MasterSettings>): Promise<void> {
    this.saved = { ...this.saved, ...changes };
  }

  async saveConfigTable(table: ConfigTable): Promise<void> {
    this.table = table;
  }

  async masterInfo(): Promise<MasterInfo> {
    const jobs = { active: 0, ready: 0, dead: 0 };
    for (const { status } of this.#jobs.values()) if (status !== "unknown_job") jobs[status]++;
    return {
      version: "0.0.0",
      instance: "fake",
      pid: process.pid,
      epoch: 1,
      startedAt: 0,
      root: "/nowhere",
      readOnly: false,
      alarms: [],
      scheduler: { policy: "fair", alpha: 1 },
      journal: { engine: "memory", durable: "memory" },
      jobs,
    };
  }

  oobGet = async (name: string, key: string): Promise<Uint8Array> => Buffer.from(`${name} ${key}`);
  oobList = async (): Promise<string[]> => ["a", "b"];
  close = async (): Promise<void> => void this.calls.push("close");

  async *progress(): AsyncGenerator<JobInfo> {}
}

/** A `Disco` at a fake master. */
export class FakeDisco extends Disco {
  readonly fake = new FakeMaster();

  constructor(options?: DiscoOptions) {
    super(undefined, options);
  }

  override master(): Promise<MasterApi> {
    return Promise.resolve(this.fake);
  }
}
