/**
 * A master elsewhere, as its HTTP API has it (`protocol/api`). One object is one client: it holds a few connections, gives up
 * nothing that can be asked again, and keeps the process alive only while somebody waits for an answer.
 */
import { followEvents } from "../../protocol/api/events.ts";
import {
  cleanJob,
  followProgress,
  getJob,
  getJobPack,
  getOob,
  getResults,
  getStageResults,
  jobsPageMax,
  killJob,
  listJobs,
  listOob,
  purgeJob,
  resultNamesMax,
  submitJob,
} from "../../protocol/api/jobs.ts";
import { getMaster } from "../../protocol/api/master.ts";
import {
  blacklistNode,
  drainNode,
  gcBlacklistNode,
  gcWhitelistNode,
  getRemoval,
  listGcBlacklist,
  listNodes,
  undrainNode,
  whitelistNode,
} from "../../protocol/api/nodes.ts";
import { changeSettings, getConfig, getSettings, replaceConfig } from "../../protocol/api/settings.ts";
import { listTasks } from "../../protocol/api/tasks.ts";
import { isJobName } from "../job-name.ts";
import { keepAlive } from "../keep-alive.ts";
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
  TaskQuery,
} from "../master-api.ts";
import { addressAt } from "../servers.ts";
import { RemoteDdfs } from "./ddfs.ts";
import { EndWatch } from "./end-watch.ts";
import { newKey, type Questions } from "./questions.ts";
import { follow } from "./streams.ts";

export class RemoteMaster implements MasterApi {
  readonly #questions: Questions;
  readonly #ends: EndWatch;
  readonly ddfs: RemoteDdfs;

  constructor(questions: Questions) {
    this.#questions = questions;
    this.ddfs = new RemoteDdfs(questions);
    this.#ends = new EndWatch((names, timeoutMs, signal) => this.#results(names, timeoutMs, signal));
  }

  async submit(pack: Uint8Array, options: { idempotencyKey?: string } = {}): Promise<string> {
    // Always with a key: a submission whose answer was lost is asked for again, and is the same job.
    const headers = {
      "idempotency-key": options.idempotencyKey ?? newKey(),
      "content-type": "application/octet-stream",
    };
    return (await this.#questions.ask(submitJob, { headers, bytes: pack })).name;
  }

  async results(names: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<JobResult[]> {
    // No job has such a name; the master would refuse the question as a whole.
    const possible = names.filter(isJobName);
    if (possible.length === names.length && timeoutMs > 0) {
      const [name] = names;
      if (name !== undefined && names.length === 1) return [await keepAlive(this.#ends.wait(name, timeoutMs, signal))];
      const states = await this.#results(names, 0, signal);
      if (names.length === 0 || states.some(({ status }) => status !== "active")) return states;
      await keepAlive(this.#oneEnds(names, timeoutMs, signal));
    }
    const states = new Map((await this.#results(possible, 0, signal)).map((state) => [state.name, state]));
    return names.map((name) => states.get(name) ?? unknown(name));
  }

  async jobInfo(name: string): Promise<JobInfo> {
    return this.#toClient(await this.#questions.ask(getJob, { params: { name } }));
  }

  async jobList(): Promise<JobListEntry[]> {
    const jobs: JobListEntry[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await this.#questions.ask(listJobs, {
        query: { limit: jobsPageMax, ...(after === undefined ? {} : { after }) },
      });
      jobs.push(...page.jobs);
      after = page.next;
    }
    return jobs;
  }

  async jobPack(name: string): Promise<Uint8Array> {
    return await this.#questions.askBytes(getJobPack, { params: { name } });
  }

  async nodeInfo(): Promise<NodeInfo[]> {
    return (await this.#questions.ask(listNodes)).nodes;
  }

  async stageResults(name: string, stage: string): Promise<string[]> {
    const { results } = await this.#questions.ask(getStageResults, { params: { name, stage } });
    return this.#reachable(results);
  }

  async kill(name: string, reason?: string): Promise<void> {
    await this.#questions.ask(killJob, { params: { name }, ...(reason === undefined ? {} : { body: { reason } }) });
  }

  async clean(name: string): Promise<void> {
    await this.#questions.askOnceDone(cleanJob, { params: { name } }, "unknown-job");
  }

  async purge(name: string): Promise<void> {
    await this.#questions.ask(purgeJob, { params: { name } });
  }

  async blacklist(node: string): Promise<void> {
    await this.#questions.ask(blacklistNode, { params: { name: node } });
  }

  async whitelist(node: string): Promise<void> {
    await this.#questions.ask(whitelistNode, { params: { name: node } });
  }

  async drain(node: string): Promise<void> {
    await this.#questions.ask(drainNode, { params: { name: node } });
  }

  async undrain(node: string): Promise<void> {
    await this.#questions.ask(undrainNode, { params: { name: node } });
  }

  async removal(node: string): Promise<NodeRemoval> {
    return await this.#questions.ask(getRemoval, { params: { name: node } });
  }

  async tasks(name: string, query: TaskQuery = {}): Promise<TaskPage> {
    return await this.#questions.ask(listTasks, { params: { name }, query });
  }

  async masterInfo(): Promise<MasterInfo> {
    return await this.#questions.ask(getMaster);
  }

  async settings(): Promise<MasterSettings> {
    return await this.#questions.ask(getSettings);
  }

  async saveSettings(changes: Partial<MasterSettings>): Promise<void> {
    await this.#questions.ask(changeSettings, { body: changes });
  }

  async configTable(): Promise<ConfigTable> {
    return (await this.#questions.ask(getConfig)).table;
  }

  async saveConfigTable(table: ConfigTable): Promise<void> {
    await this.#questions.ask(replaceConfig, {
      body: { table: table.map(([node, slots]): [string, string] => [node, slots]) },
    });
  }

  async gcBlacklist(): Promise<string[]> {
    return (await this.#questions.ask(listGcBlacklist)).nodes;
  }

  async gcBlacklistNode(node: string): Promise<void> {
    await this.#questions.ask(gcBlacklistNode, { params: { name: node } });
  }

  async gcWhitelistNode(node: string): Promise<void> {
    await this.#questions.ask(gcWhitelistNode, { params: { name: node } });
  }

  async *events(
    name: string,
    offset: number,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<[offset: number, event: JobEvent]> {
    const { follow: isFollowed = true, signal } = options;
    const items = follow(this.#questions, followEvents, signal, (lastId) => ({
      params: { name },
      query: { offset: lastId === null ? offset : Number(lastId), follow: isFollowed },
    }));
    for await (const { id, value } of items) yield [Number(id), value];
  }

  /** `inputs` are left out, and `results` come with the end. */
  async *progress(name: string, options: { intervalMs?: number; signal?: AbortSignal } = {}): AsyncGenerator<JobInfo> {
    const { intervalMs, signal } = options;
    const query = intervalMs === undefined ? {} : { interval: Math.max(10, Math.round(intervalMs)) };
    for await (const { value } of follow(this.#questions, followProgress, signal, () => ({
      params: { name },
      query,
    }))) {
      yield this.#toClient({ ...value, inputs: [] });
      if (value.status !== "active") return;
    }
  }

  async oobGet(name: string, key: string): Promise<Uint8Array> {
    return await this.#questions.askBytes(getOob, { params: { name, key } });
  }

  async oobList(name: string): Promise<string[]> {
    return (await this.#questions.ask(listOob, { params: { name } })).keys;
  }

  async request(
    path: string,
    options: { data?: string | Uint8Array; offset?: number } = {},
  ): Promise<{ status: number; body: Uint8Array }> {
    const { data, offset = 0 } = options;
    const body = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    const method = body === undefined ? "GET" : "POST";
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
    return await this.#questions.raw({ method, path, body, headers }, method === "GET");
  }

  async close(): Promise<void> {
    this.#ends.close();
    this.ddfs.close();
    this.#questions.close();
  }

  async #results(names: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<JobResult[]> {
    const states: JobResult[] = [];
    for (let i = 0; i < names.length; i += resultNamesMax) {
      const { results } = await this.#questions.ask(getResults, {
        body: { names: names.slice(i, i + resultNamesMax), timeoutMs },
        signal,
        ...(timeoutMs === 0 ? {} : { heldMs: timeoutMs }),
      });
      for (const state of results) states.push({ ...state, results: this.#reachable(state.results) });
    }
    return states;
  }

  async #oneEnds(names: readonly string[], timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController();
    const all = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    try {
      await Promise.race(names.map((name) => this.#ends.wait(name, timeoutMs, all)));
    } finally {
      stop.abort();
    }
  }

  #toClient(info: JobInfo): JobInfo {
    return { ...info, results: this.#reachable(info.results) };
  }

  /** The master gives addresses by node, which mean something there; these lead to it from here. */
  #reachable(addresses: readonly string[]): string[] {
    return addresses.map((address) => addressAt(this.#questions.url, address));
  }
}

function unknown(name: string): JobResult {
  return { name, status: "unknown_job", results: [], reason: null, failure: null };
}
