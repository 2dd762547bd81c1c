/** The master as a client in the same process sees it (`client/master-api.ts`). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JobEvent, JobInfo, JobListEntry, JobResult, MasterApi, NodeInfo } from "../client/master-api.ts";
import type { JobSpec } from "../core/job/spec.ts";
import { DiscoError, JobError } from "../errors.ts";
import { diskFullHint, isDiskFull } from "../node/disk.ts";
import { acceptPack } from "./accept-pack.ts";
import type { Coordinator } from "./coordinator.ts";
import type { EventLogs } from "./event-log.ts";
import { answer, requestOf } from "./http/routes.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeLink } from "./node-link.ts";

export interface LocalMasterParts {
  readonly coordinator: Coordinator;
  readonly nodes: NodeLink;
  readonly logs: EventLogs;
  readonly files: JobFiles;
  readonly signals: JobSignals;
  readonly progress: LiveProgress;
  readonly keepAlive: KeepAlive;
  readonly dataDir: string;
  /** Throws for a job that none of the nodes that there will ever be can run. */
  readonly assertRunnable: (spec: JobSpec, packBytes: number) => void;
  readonly now: () => number;
  /** Ends the engine. */
  readonly close: () => Promise<void>;
}

/** How often a follower of a job's progress hears of it, at most. */
const progressIntervalMs = 100;
const jobNamePattern = /^[a-zA-Z0-9_@:]{1,200}$/;

export class LocalMaster implements MasterApi {
  readonly #parts: LocalMasterParts;
  /** Submissions on their way, by idempotency key. */
  readonly #submitting = new Map<string, Promise<string>>();

  constructor(parts: LocalMasterParts) {
    this.#parts = parts;
  }

  async submit(pack: Uint8Array, options: { idempotencyKey?: string } = {}): Promise<string> {
    const { coordinator } = this.#parts;
    coordinator.assertAlive();
    const key = options.idempotencyKey;
    if (key === undefined) return await this.#start(pack, undefined);
    const known = coordinator.machine.keys.get(key) ?? this.#submitting.get(key);
    if (known !== undefined) return await known;
    const starting = this.#start(pack, key).finally(() => this.#submitting.delete(key));
    this.#submitting.set(key, starting);
    return await starting;
  }

  async results(names: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<JobResult[]> {
    const { coordinator, signals } = this.#parts;
    coordinator.assertAlive();
    const { jobs } = coordinator.machine;
    if (timeoutMs > 0 && names.length > 0 && names.every((name) => jobs.has(name))) {
      await signals.oneEnds(names, timeoutMs, signal);
      coordinator.assertAlive();
    } else if (names.some((name) => jobs.has(name))) {
      await turn();
    }
    return names.map((name) => coordinator.machine.result(name));
  }

  async jobInfo(name: string): Promise<JobInfo> {
    if (this.#machine.jobs.has(name)) await turn();
    return this.#info(name);
  }

  async jobList(): Promise<JobListEntry[]> {
    return this.#machine.list();
  }

  async jobPack(name: string): Promise<Uint8Array> {
    this.#info(name);
    return await this.#parts.files.readPack(name);
  }

  async nodeInfo(): Promise<NodeInfo[]> {
    const { cluster } = this.#machine;
    return await Promise.all(
      [...cluster.nodes.values()].map(async (node) => {
        const state = node.connected ? await this.#parts.nodes.state(node.host).catch(() => null) : null;
        return {
          name: node.host,
          slots: node.slots,
          connected: node.connected,
          blacklisted: cluster.blacklist.has(node.host),
          tasksOk: node.tasksOk,
          tasksFailed: node.tasksFailed,
          dataErrors: node.dataErrors,
          diskFreeBytes: state?.diskFreeBytes ?? 0,
          diskUsedBytes: state?.diskUsedBytes ?? 0,
          tasks: state?.running.map(({ job }) => job) ?? [],
          labels: node.labels,
        };
      }),
    );
  }

  async stageResults(name: string, stage: string): Promise<string[]> {
    const info = this.#info(name);
    const number = info.stages.findIndex((one) => one.stage === stage);
    if (number < 0) {
      const names = info.stages.map((one) => one.stage).join(", ");
      throw new DiscoError(`${name} has no stage ${stage}`, {
        code: "unknown-stage",
        job: name,
        hint: `Its stages are ${names}.`,
      });
    }
    if (number === info.stages.length - 1 && info.status === "ready") return [...info.results];
    const found = this.#machine.jobs.get(name)?.stages[number];
    if (found === undefined || !found.complete) {
      const why = info.status === "active" ? "has not ended" : "has left nothing, now that the job has ended";
      throw new DiscoError(`stage ${stage} of ${name} ${why}`, { code: "stage-not-ended", job: name });
    }
    const addresses: string[] = [];
    for (let task = 0; task < found.tasks; task++) {
      const { host, file } = found.outputs.ref(task);
      addresses.push(found.outputs.index(task) ?? `disco://${host}/disco/${file}`);
    }
    return addresses;
  }

  async kill(name: string, reason?: string): Promise<void> {
    this.#info(name);
    const { coordinator, now } = this.#parts;
    if (!this.#machine.jobs.has(name)) return;
    coordinator.record([{ kind: "job-killed", at: now(), job: name, ...(reason === undefined ? {} : { reason }) }]);
    await this.#parts.keepAlive.during(coordinator.settled(name));
  }

  async clean(name: string): Promise<void> {
    this.#info(name);
    const { coordinator, now } = this.#parts;
    coordinator.record([{ kind: "job-cleaned", at: now(), job: name }]);
    await this.#parts.keepAlive.during(coordinator.settled(name));
  }

  /** Also of a job whose records were cleaned: its files may still be there. */
  async purge(name: string): Promise<void> {
    const { coordinator, now } = this.#parts;
    if (!jobNamePattern.test(name)) throw unknownJob(name);
    coordinator.record([{ kind: "job-purged", at: now(), job: name }]);
    await this.#parts.keepAlive.during(coordinator.settled(name));
  }

  async blacklist(node: string): Promise<void> {
    const { coordinator, now } = this.#parts;
    coordinator.record([{ kind: "node-blacklisted", at: now(), host: node }]);
  }

  async whitelist(node: string): Promise<void> {
    const { coordinator, now } = this.#parts;
    coordinator.record([{ kind: "node-whitelisted", at: now(), host: node }]);
  }

  async *events(
    name: string,
    offset: number,
    options: { follow?: boolean; signal?: AbortSignal } = {},
  ): AsyncGenerator<[offset: number, event: JobEvent]> {
    this.#info(name);
    yield* this.#parts.logs.read(name, offset, options);
  }

  async *progress(name: string, options: { intervalMs?: number; signal?: AbortSignal } = {}): AsyncGenerator<JobInfo> {
    const { signals, coordinator } = this.#parts;
    const { signal, intervalMs = progressIntervalMs } = options;
    const over = new AbortController();
    const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
    try {
      for (;;) {
        const change = signals.nextChange(name, stop);
        const info = this.#info(name);
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
    this.#info(name);
    const entry = this.#machine.oob(name).find((one) => one.key === key);
    if (entry === undefined) {
      throw new DiscoError(`${name} has no out-of-band value ${JSON.stringify(key)}`, {
        code: "unknown-key",
        job: name,
        hint: "oobList names those it has.",
      });
    }
    return await readFile(join(this.#parts.dataDir, entry.file));
  }

  async oobList(name: string): Promise<string[]> {
    this.#info(name);
    return this.#machine.oob(name).map(({ key }) => key);
  }

  async request(
    path: string,
    options: { data?: string | Uint8Array; offset?: number } = {},
  ): Promise<{ status: number; body: Uint8Array }> {
    this.#parts.coordinator.assertAlive();
    const { status, body } = await answer(requestOf(path, options), this);
    return { status, body };
  }

  async close(): Promise<void> {
    await this.#parts.close();
  }

  get #machine(): Coordinator["machine"] {
    this.#parts.coordinator.assertAlive();
    return this.#parts.coordinator.machine;
  }

  #info(name: string): JobInfo {
    const info = this.#machine.info(name);
    if (info === undefined) throw unknownJob(name);
    return this.#parts.progress.addTo(info);
  }

  async #start(pack: Uint8Array, key: string | undefined): Promise<string> {
    const { coordinator, files, now } = this.#parts;
    const spec = acceptPack(pack);
    this.#parts.assertRunnable(spec, pack.byteLength);
    let job = "";
    try {
      for (let at = now(); !files.claim((job = coordinator.machine.nextName(spec.prefix, at))); at++);
      await files.writePack(job, pack);
    } catch (cause) {
      if (job !== "") await files.unclaim(job).catch(() => undefined);
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the job pack could not be stored: ${why}`;
      if (!isDiskFull(cause)) throw new JobError(message, { code: "job-not-stored", cause });
      throw new JobError(message, { code: "disk-full", cause, hint: diskFullHint });
    }
    try {
      coordinator.submit(job, spec, key);
    } catch (error) {
      // Closed meanwhile. A journal that failed in the middle knows, perhaps, of the job: then its name stays taken.
      if (!coordinator.machine.knows(job)) await files.unclaim(job).catch(() => undefined);
      throw error;
    }
    return job;
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
