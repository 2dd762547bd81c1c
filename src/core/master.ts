/**
 * All that a master knows and decides: nodes, jobs, and who runs what. Its state is the fold of its events; it has one
 * door for what happened (`handle`) and one for what is to start (`schedule`). No clock, no chance, no I/O.
 *
 * The shell (`journal/ledger.ts`) records events before it carries out the commands they cause. What `schedule` decides is
 * an event as well: a replay repeats the decision that was made, not the reasoning.
 *
 * M1. Each live attempt of a job is on a known node, and a node's load is the number of live attempts on it.
 * M2. A name, a key and an attempt number are given once, also across restarts.
 */
import type {
  ConfigTable,
  JobInfo,
  JobListEntry,
  JobResult,
  MasterSettings,
  TaskPage,
  TaskQuery,
} from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";
import type { AttemptId } from "../protocol/messages.ts";
import type { Command } from "./commands.ts";
import { Tags } from "./ddfs/tags.ts";
import type { EndedJob } from "./ended-job.ts";
import { endJob, infoOfEnded } from "./ended-job.ts";
import type { JobSubmitted, MasterEvent, TasksAssigned, TimerFired } from "./events.ts";
import type { OobEntry } from "./job/info.ts";
import { infoOf, manifestOf, manifestPartOf, oobOf, runningTasks } from "./job/info.ts";
import { JobMachine } from "./job/machine.ts";
import { microsOf, nameJob } from "./job/name.ts";
import { oobTag } from "./job/saved-tags.ts";
import type { ManifestMark, ManifestPart, StageManifest } from "./job/spec.ts";
import type { Attempt, Stage } from "./job/stage.ts";
import { tasksOf } from "./job/tasks.ts";
import { handleNodeEvent } from "./node-events.ts";
import { PurgedJobs } from "./purged-jobs.ts";
import type { Removal } from "./removal.ts";
import { removalOf } from "./removal.ts";
import { Assigned } from "./scheduler/assigned.ts";
import { Cluster } from "./scheduler/cluster.ts";
import type { Policy } from "./scheduler/job-order.ts";
import { defaultAlpha, JobOrder } from "./scheduler/job-order.ts";
import { fireOfNodes, ofNodes } from "./scheduler/quarantine.ts";
import { reasonsOf } from "./scheduler/reasons.ts";
import { Round } from "./scheduler/round.ts";
import { attemptsThatRun, jobsOn } from "./scheduler/running.ts";
import { lookMs } from "./scheduler/stragglers.ts";
import type { Timer } from "./timers.ts";
import { fire, timersOf } from "./timers.ts";

export interface MasterOptions {
  /** How jobs share the nodes. Default `fair`. Not part of the state: another master may use another policy. */
  readonly policy?: Policy;
  /** Of `fair`: weight of the newest second in the average of what a job lacked. Above 0, at most 1; default 0.001, as in Disco. */
  readonly alpha?: number;
  /** Whether slow tasks get a second attempt. Default true. */
  readonly speculation?: boolean;
}

export class MasterMachine {
  readonly cluster = new Cluster();
  readonly jobs = new Map<string, JobMachine>();
  /** Jobs that have ended and were not cleaned, oldest end first. */
  readonly ended = new Map<string, EndedJob>();
  /** Idempotency keys of jobs that are known. */
  readonly keys = new Map<string, string>();
  /** Of jobs with files on other machines. */
  readonly purged = new PurgedJobs();
  /** Hosts that garbage collection is to empty. */
  readonly gcBlacklist = new Set<string>();
  /** Of DDFS. */
  tags = new Tags();
  /** Microseconds of the newest name (M2). */
  lastMicros = 0;
  /** Rises whenever `list()` would answer something else. */
  listVersion = 0;
  #list: { readonly version: number; readonly entries: readonly JobListEntry[] } | null = null;
  readonly #order: JobOrder;

  readonly #speculation: boolean;
  #lookedAt = 0;
  /** Live attempts that run, as long as nothing has changed since somebody asked. */
  #runs: ReadonlySet<Attempt> | null = null;

  /** @throws DiscoError `bad-option` */
  constructor(options: MasterOptions = {}) {
    this.#order = new JobOrder(options.policy ?? "fair", options.alpha ?? defaultAlpha, this.cluster);
    this.#speculation = options.speculation ?? true;
  }

  handle(event: MasterEvent): Command[] {
    this.#runs = null;
    this.#order.clock(event.at);
    switch (event.kind) {
      case "master-started":
        if (event.epoch <= this.cluster.epoch)
          throw new DiscoError(`epoch ${event.epoch} is not new`, { code: "old-epoch" });
        this.cluster.epoch = event.epoch;
        this.tags.masterStarted();
        return [];
      case "interrupted":
        return this.#interrupted(event.at);
      case "job-submitted":
        return this.#submitted(event);
      case "pack-held":
        return this.jobs.get(event.job)?.holdPack(event.hosts) ?? [];
      case "tasks-assigned":
        return this.#assigned(event);
      case "timer-fired":
        return this.#timerFired(event);
      case "job-cleaned":
      case "job-purged":
        return this.#forget(event.job, event.kind === "job-purged", event.at);
      case "node-joined":
      case "node-updated":
      case "node-lost":
      case "node-forgotten":
      case "node-blacklisted":
      case "node-whitelisted":
      case "node-draining":
      case "node-undrained":
      case "config-saved":
        return handleNodeEvent(event, this.cluster, (act) => this.#eachJob(act));
      case "settings-saved":
        this.cluster.settings = { ...this.cluster.settings, ...event.changes };
        return [];
      case "gc-blacklisted":
        this.gcBlacklist.add(event.host);
        return [];
      case "gc-whitelisted":
        this.gcBlacklist.delete(event.host);
        return [];
      case "cluster-named":
      case "urls-staged":
      case "tag-changed":
      case "tag-deleted":
      case "replicas-changed":
      case "gc-started":
      case "blobs-condemned":
      case "blobs-gone":
      case "gc-ended":
        this.tags.handle(event);
        return [];
      default: {
        const job = this.jobs.get(event.job);
        return job === undefined ? [] : this.#after(job, job.handle(event));
      }
    }
  }

  /**
   * Decides which waiting tasks start now, and makes it so. The event that says so is to be recorded like any other, in
   * the order in which `handle` and `schedule` were called. `null`: nothing can start.
   */
  schedule(at: number): { event: TasksAssigned; commands: Command[] } | null {
    this.#runs = null;
    this.#order.clock(at);
    this.#order.refresh();
    const round = new Round(at, this.#order, this.cluster);
    round.makeRoom(this.jobs.values());
    round.startWaiting();
    if (this.#speculation && Math.abs(at - this.#lookedAt) >= lookMs) {
      this.#lookedAt = at;
      round.startAgain(this.jobs.values());
    }
    return round.outcome();
  }

  /** A name that no job ever had, for a job that is submitted at this time (ms since 1970). */
  nextName(prefix: string, at: number): string {
    return nameJob(prefix, Math.max(Math.floor(at) * 1000, this.lastMicros + 1));
  }

  /** A node says that an attempt has begun, and when (ms since 1970). No event: nothing is decided by it (`Stage.beganAt`). */
  began({ job, stage, task, attempt }: AttemptId, at: number): void {
    this.#runs = null;
    this.jobs.get(job)?.began(stage, task, attempt, at);
  }

  // ---- questions ----------------------------------------------------------------------------------------------------

  knows(job: string): boolean {
    return this.jobs.has(job) || this.ended.has(job);
  }

  /** `inputs: false` leaves the list of inputs empty: what follows a job's progress does not read it. */
  info(job: string, options: { readonly inputs?: boolean } = {}): JobInfo | undefined {
    const active = this.jobs.get(job);
    if (active !== undefined) return infoOf(active, this.#running(), options.inputs);
    const ended = this.ended.get(job);
    return ended === undefined ? undefined : infoOfEnded(ended);
  }

  result(name: string): JobResult {
    const ended = this.ended.get(name);
    if (ended !== undefined)
      return { name, status: ended.status, results: ended.results, reason: ended.reason, failure: ended.failure };
    return { name, status: this.jobs.has(name) ? "active" : "unknown_job", results: [], reason: null, failure: null };
  }

  /** The newest first. The same array until `listVersion` rises. */
  list(): readonly JobListEntry[] {
    if (this.#list?.version !== this.listVersion) {
      const entries = [...this.ended.values(), ...this.jobs.values()]
        .map(({ name, status, submittedAt }) => ({ name, status, submittedAt }))
        .sort((a, b) => b.submittedAt - a.submittedAt || (a.name < b.name ? 1 : -1));
      this.#list = { version: this.listVersion, entries };
    }
    return this.#list.entries;
  }

  /** Jobs that ended more than `afterMs` before `now` (ms since 1970), the oldest end first. */
  collectable(now: number, afterMs: number): string[] {
    const names: string[] = [];
    for (const { name, endedAt } of this.ended.values()) {
      if (now - endedAt <= afterMs) break;
      names.push(name);
    }
    return names;
  }

  /** Some tasks of an active job (`undefined`: it is not active), without what running attempts last said of their progress. */
  tasks(job: string, query: TaskQuery = {}): TaskPage | undefined {
    const active = this.jobs.get(job);
    return active === undefined ? undefined : tasksOf(active, query, this.#running());
  }

  /** Nodes that keep the job's pack, besides the master that accepted it. */
  packHolders(job: string): readonly string[] {
    return this.jobs.get(job)?.holders ?? this.ended.get(job)?.holders ?? [];
  }

  /** SHA-256 of the job's pack, hex; `null`: the journal does not say. */
  packSha256(job: string): string | null {
    return this.jobs.get(job)?.packSha256 ?? this.ended.get(job)?.packSha256 ?? null;
  }

  /** What would be missed if the node were removed now. `undefined`: it is not known. */
  removal(host: string): Removal | undefined {
    return removalOf(this, host);
  }

  /** Lost nodes from which no active job may still read. */
  unneededNodes(): string[] {
    const lost = [...this.cluster.nodes.values()].filter(({ connected }) => !connected);
    return lost.flatMap(({ host }) => ([...this.jobs.values()].some((job) => job.readsFrom(host)) ? [] : [host]));
  }

  /** By node: names of the jobs whose attempts run there, one for each. */
  runningOn(host: string): string[] {
    return jobsOn(this.jobs.values(), host, this.#running());
  }

  /** Tasks of the stage of which an attempt runs. */
  runningTasks(stage: Stage): number {
    return stage.live.size === 0 ? 0 : runningTasks(stage, this.#running());
  }

  get settings(): MasterSettings {
    return this.cluster.settings;
  }

  /** As it was last saved, in Disco's form. */
  configTable(): ConfigTable {
    return [...this.cluster.config].map(([host, slots]) => [host, String(slots)] as const);
  }

  /** Last known outputs of a stage of an active job; `null` before it was complete, and when the job has ended. */
  manifest(job: string, stage: number): StageManifest | null {
    const active = this.jobs.get(job);
    return active?.stages[stage] === undefined ? null : manifestOf(active.stages[stage], active);
  }

  /** For tasks of the stage after this one that take outputs as they come: `null` when the job has ended. */
  manifestPart(job: string, stage: number, since: ManifestMark | null): ManifestPart | null {
    const active = this.jobs.get(job);
    return active?.stages[stage] === undefined ? null : manifestPartOf(active.stages[stage], active, since);
  }

  oob(job: string): readonly OobEntry[] {
    const active = this.jobs.get(job);
    return active === undefined ? (this.ended.get(job)?.oob ?? []) : oobOf(active);
  }

  /** Why tasks of the job wait, for people. */
  reasons(job: string): string[] {
    const active = this.jobs.get(job);
    return active === undefined ? [] : reasonsOf(active, this.cluster);
  }

  /** Timers that are pending: what a new master has to set anew. */
  timers(): Timer[] {
    return timersOf(this.jobs.values(), this.cluster);
  }

  /** Enters a job that was restored from a snapshot. */
  adopt(job: JobMachine): void {
    this.jobs.set(job.name, job);
    this.#order.add(job);
    this.listVersion++;
  }

  // ---- events -------------------------------------------------------------------------------------------------------

  #running(): ReadonlySet<Attempt> {
    return (this.#runs ??= attemptsThatRun(this.jobs.values(), this.cluster));
  }

  #submitted({ job: name, spec, at, key, holders, packSha256 }: JobSubmitted): Command[] {
    if (this.knows(name)) throw new DiscoError(`there is a job ${name} already`, { code: "job-exists", job: name });
    const job = new JobMachine(name, spec, this.cluster, at);
    const commands = job.start();
    this.jobs.set(name, job);
    this.listVersion++;
    this.lastMicros = Math.max(this.lastMicros, microsOf(name) ?? 0);
    if (key !== undefined) this.keys.set(key, name);
    job.key = key ?? null;
    job.holders = holders ?? [];
    job.packSha256 = packSha256 ?? null;
    this.#order.add(job);
    return this.#after(job, commands);
  }

  #assigned(event: TasksAssigned): Command[] {
    const assigned = new Assigned();
    const touched = new Set<JobMachine>();
    const active = (name: string): JobMachine => {
      const job = this.jobs.get(name);
      if (job === undefined)
        throw new DiscoError(`a task of job ${name} is assigned, which is not active`, { code: "impossible" });
      touched.add(job);
      return job;
    };
    for (const id of event.preempted ?? []) assigned.before(active(id.job).preempt(id, event.at));
    for (const task of event.tasks) assigned.add(task.host, active(task.job).assign(task, event.at));
    for (const job of touched) this.#order.update(job);
    const held = (event.holds ?? []).flatMap(({ job, stage }) => this.jobs.get(job)?.hold(stage, event.at) ?? []);
    return [...assigned.commands(), ...held];
  }

  #timerFired({ key }: TimerFired): Command[] {
    const name = key.split("/", 1)[0] ?? "";
    if (name === ofNodes) fireOfNodes(this.cluster, key);
    const job = this.jobs.get(name);
    if (job === undefined) return [];
    fire(job, key);
    return this.#after(job, job.out.take());
  }

  #interrupted(at: number): Command[] {
    const commands = this.#eachJob((job) => job.interrupt(at));
    for (const node of this.cluster.nodes.values()) {
      node.connected = false;
      this.cluster.settle(node.host);
      this.cluster.refresh(node.host);
    }
    return commands;
  }

  #forget(name: string, purge: boolean, at: number): Command[] {
    const commands: Command[] = [];
    const job = this.jobs.get(name);
    if (job !== undefined) commands.push(...this.#after(job, job.handle({ kind: "job-killed", job: name, at })));
    const ended = this.ended.get(name);
    if (purge) {
      const hosts =
        ended === undefined
          ? [...this.cluster.nodes.keys()].sort()
          : [...new Set([...ended.nodes, ...(ended.holders ?? [])])].sort();
      if (hosts.some((host) => this.cluster.node(host)?.url != null)) this.purged.note(name);
      commands.push({ kind: "drop-files", job: name, hosts, scope: "all" });
      const tag = oobTag(name);
      if (this.tags.tag(tag) !== undefined) this.tags.handle({ kind: "tag-deleted", at, tag });
    }
    if (ended?.key != null) this.keys.delete(ended.key);
    if (this.ended.delete(name)) this.listVersion++;
    commands.push({ kind: "forget-job", job: name });
    return commands;
  }

  #eachJob(act: (job: JobMachine) => Command[]): Command[] {
    return [...this.jobs.values()].flatMap((job) => this.#after(job, act(job)));
  }

  /** Keeps order and history in step with what just happened to a job. */
  #after(job: JobMachine, commands: Command[]): Command[] {
    if (job.status === "active") {
      this.#order.update(job);
      return commands;
    }
    this.#order.delete(job);
    this.jobs.delete(job.name);
    this.ended.set(job.name, endJob(job));
    this.listVersion++;
    return commands;
  }
}
