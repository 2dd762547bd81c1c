/**
 * The shell around the deciding core: turns what happens into events, has them journaled, then carries out what follows.
 *
 *   report, submission, wish, timer ──▶ events ──▶ ledger (journal, machine) ──▶ commands ──▶ nodes, logs, who waits
 *                                                      │                             ▲
 *                                                      └── schedule ── assigned ─────┘
 *
 * C1. Nothing is carried out before the events that led to it are in the journal.
 * C2. A report is acknowledged after it was journaled; one that comes twice changes nothing (attempts are fenced).
 * C3. When the journal fails, the master stops deciding: everything that waits ends with that error. What it knows and what
 *     the journal says must never differ.
 */
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { MasterMachine } from "../core/master.ts";
import { DiscoError } from "../errors.ts";
import { Ledger } from "../journal/ledger.ts";
import type { LocalJournal } from "../journal/local.ts";
import type { AttemptId, EventLevel, NodeHello, NodeReport } from "../protocol/messages.ts";
import type { EventLogs } from "./event-log.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { LiveProgress } from "./live-progress.ts";
import { MessageGate } from "./message-gate.ts";
import type { NodeLink } from "./node-link.ts";

export interface CoordinatorParts {
  readonly journal: LocalJournal;
  /** Unique name of this process in the journal. */
  readonly writer: string;
  readonly nodes: NodeLink;
  readonly logs: EventLogs;
  readonly files: JobFiles;
  readonly signals: JobSignals;
  readonly progress: LiveProgress;
  readonly keepAlive: KeepAlive;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Timers overflow beyond this; a longer one is set again when it fires. */
const timerMsMax = 2 ** 31 - 1;

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #ledger: Ledger;
  readonly #gate = new MessageGate();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** What is being done for a job, by job: stopping, deleting files. */
  readonly #chores = new Map<string, Set<Promise<void>>>();
  /** Active jobs that hold the process. */
  readonly #held = new Set<string>();
  #broken: DiscoError | null = null;
  #closed = false;

  /**
   * Reads the journal and takes over. Jobs that its last owner left unfinished are dead afterwards: their workers died with it.
   * @throws DiscoError what `Ledger.open` throws
   */
  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.#ledger = Ledger.open({
      journal: parts.journal,
      writer: parts.writer,
      now: parts.now,
      carryOut: (commands) => {
        for (const command of commands) this.#carry(command);
      },
      failed: (error) => this.#break(error),
    });
    if (this.machine.jobs.size > 0) this.record([{ kind: "interrupted", at: parts.now() }]);
  }

  get machine(): MasterMachine {
    return this.#ledger.machine;
  }

  /** Throws if the engine cannot decide any more. */
  assertAlive(): void {
    if (this.#broken !== null) throw this.#broken;
    if (this.#closed) throw new DiscoError("the engine is closed", { code: "closed" });
  }

  /** Journals the events, carries out what follows, and hands out tasks. */
  record(events: readonly MasterEvent[]): void {
    this.assertAlive();
    try {
      for (const event of events) this.#ledger.record(event);
      this.#ledger.flush();
    } catch (error) {
      throw this.#break(error);
    }
    if (this.#broken !== null) throw this.#broken;
  }

  /** Starts a job whose pack is in its place already. */
  submit(job: string, spec: JobSpec, key: string | undefined): void {
    this.#parts.logs.begin(job);
    this.#hold(job);
    const at = this.#parts.now();
    this.record([{ kind: "job-submitted", at, job, spec, ...(key === undefined ? {} : { key }) }]);
  }

  join(hello: NodeHello): void {
    this.record([{ kind: "node-joined", at: this.#parts.now(), ...hello }]);
  }

  /** Reports of a node, in the order in which it made them. */
  report(host: string, reports: readonly NodeReport[]): void {
    const at = this.#parts.now();
    const events: MasterEvent[] = [];
    for (const report of reports) {
      const event = this.#eventOf(host, report, at);
      if (event !== null) events.push(event);
    }
    if (events.length > 0) this.record(events);
  }

  /** Resolves when what was begun for the job (stopping it, deleting its files) is done. */
  async settled(job: string): Promise<void> {
    for (let chores = this.#chores.get(job); chores !== undefined; chores = this.#chores.get(job)) await Promise.all(chores);
  }

  /** Ends what is active, stops deciding, and closes the journal; resolves when what was begun is done. */
  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#broken === null && this.machine.jobs.size > 0) {
      this.#quietly(() => this.record([{ kind: "interrupted", at: this.#parts.now() }]));
    }
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    for (const job of [...this.#held]) this.#letGo(job);
    this.#parts.signals.all();
    await Promise.all([...this.#chores.keys()].map((job) => this.settled(job)));
    this.#ledger.close();
  }

  #eventOf(host: string, report: NodeReport, at: number): MasterEvent | null {
    const { progress, signals } = this.#parts;
    const { job, stage, task, attempt } = report;
    const id: AttemptId = { job, stage, task, attempt };
    switch (report.kind) {
      case "started":
        return null;
      case "progress":
        progress.set(id, report.progress);
        signals.changed(job);
        return null;
      case "message":
        this.#message(host, report, at);
        return null;
      case "done":
        this.#over(host, id, at);
        return { kind: "task-done", at, ...id, output: report.output };
      case "failed":
        this.#over(host, id, at);
        return { kind: "task-failed", at, ...id, failure: report.failure };
      case "input-lost":
        this.#over(host, id, at);
        return { kind: "input-lost", at, ...id, lost: report.lost, failure: report.failure };
      case "lost":
        this.#over(host, id, at);
        return { kind: "task-lost", at, ...id, reason: report.reason };
    }
  }

  #over(host: string, id: AttemptId, at: number): void {
    this.#parts.progress.end(id);
    const dropped = this.#gate.end(gateKey(id));
    if (dropped > 0) this.#droppedLine(host, id, at, dropped);
  }

  #message(host: string, report: NodeReport & { kind: "message" }, at: number): void {
    if (this.machine.jobs.get(report.job)?.stages[report.stage]?.liveAttempt(report.task, report.attempt) === undefined) return;
    const { pass, dropped } = this.#gate.admit(gateKey(report), at);
    if (dropped > 0) this.#droppedLine(host, report, at, dropped);
    if (pass) this.#line(report, { at, host, level: report.level, message: report.text });
  }

  #droppedLine(host: string, id: AttemptId, at: number, dropped: number): void {
    this.#line(id, { at, host, level: "warning", message: `${dropped} messages came too fast and were dropped` });
  }

  #line(id: AttemptId, line: { at: number; host: string; level: EventLevel; message: string }): void {
    const { at, host, level, message } = line;
    const stage = this.machine.jobs.get(id.job)?.spec.pipeline[id.stage];
    const task = stage === undefined ? null : `${stage.name}:${id.task}`;
    this.#parts.logs.add(id.job, { time: new Date(at).toISOString(), host, task, level, message });
  }

  #carry(command: Command): void {
    const { nodes, logs, signals, progress } = this.#parts;
    switch (command.kind) {
      case "assign":
        void nodes.assign(command.host, this.machine.cluster.epoch, command.assignments).catch((error: unknown) => {
          this.#unassignable(command.assignments, error);
        });
        break;
      case "cancel":
        progress.end(command.id);
        nodes.cancel(command.host, [command.id]);
        break;
      case "stop-job":
        for (const host of command.hosts) this.#chore(command.job, nodes.stopJob(host, command.job));
        break;
      case "drop-files":
        for (const host of command.hosts) this.#chore(command.job, nodes.dropFiles(host, command.job, command.scope));
        break;
      case "set-timer":
        this.#setTimer(command.key, command.at);
        break;
      case "log": {
        const { at, host, task, level, message } = command;
        logs.add(command.job, { time: new Date(at).toISOString(), host: host ?? "master", task, level, message });
        signals.changed(command.job);
        break;
      }
      case "job-ended":
        // Workers that stand idle go as well; `stop-job` names only nodes with running attempts.
        for (const host of this.machine.cluster.nodes.keys()) {
          this.#chore(command.job, nodes.endJob(host, command.job, this.#oobFiles(command.job, host)));
        }
        logs.end(command.job);
        progress.endJob(command.job);
        this.#letGo(command.job);
        signals.ended(command.job);
        break;
      case "forget-job":
        signals.ended(command.job);
        this.#chore(command.job, logs.forget(command.job));
        break;
    }
  }

  /** The job's out-of-band values on a node: file names by key. */
  #oobFiles(job: string, host: string): Record<string, string> {
    return Object.fromEntries(this.machine.oob(job).filter((entry) => entry.host === host).map(({ key, file }) => [key, file]));
  }

  #hold(job: string): void {
    if (this.#held.has(job)) return;
    this.#held.add(job);
    this.#parts.keepAlive.acquire();
  }

  #letGo(job: string): void {
    if (this.#held.delete(job)) this.#parts.keepAlive.release();
  }

  #setTimer(key: string, at: number): void {
    const delay = Math.max(0, at - this.#parts.now());
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      if (this.#closed || this.#broken !== null) return;
      if (delay > timerMsMax) this.#setTimer(key, at);
      else this.#quietly(() => this.record([{ kind: "timer-fired", at: this.#parts.now(), key }]));
    }, Math.min(delay, timerMsMax));
    timer.unref();
    this.#timers.set(key, timer);
  }

  /** The node did not take them: they are lost, and the next one is asked. */
  #unassignable(assignments: readonly AttemptId[], error: unknown): void {
    if (this.#closed || this.#broken !== null) return;
    const at = this.#parts.now();
    const reason = error instanceof Error ? error.message : String(error);
    const lost = assignments.map(({ job, stage, task, attempt }) => ({ kind: "task-lost", at, job, stage, task, attempt, reason }) as const);
    this.#quietly(() => this.record(lost));
  }

  /** The error is kept and told to whoever asks next. */
  #quietly(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#break(error);
    }
  }

  #chore(job: string, work: Promise<void>): void {
    let chores = this.#chores.get(job);
    if (chores === undefined) this.#chores.set(job, (chores = new Set()));
    const those = chores;
    // A node that does not answer has nothing to stop, or tells its leftovers when it joins again.
    const chore = work.catch(() => undefined).then(() => {
      those.delete(chore);
      if (those.size === 0 && this.#chores.get(job) === those) this.#chores.delete(job);
    });
    those.add(chore);
  }

  #break(cause: unknown): DiscoError {
    if (this.#broken !== null) return this.#broken;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#broken = new DiscoError(`the engine stopped: ${why}`, {
      code: cause instanceof DiscoError ? cause.code : "engine-failed",
      cause,
      hint: "Open a new engine; jobs that had not ended are reported dead by it.",
    });
    for (const job of [...this.#held]) this.#letGo(job);
    this.#parts.signals.all();
    return this.#broken;
  }
}

function gateKey({ job, stage, task, attempt }: AttemptId): string {
  return `${job}/${stage}/${task}/${attempt}`;
}
