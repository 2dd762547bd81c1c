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
import type { AttemptId, NodeHello, NodeReport } from "../protocol/messages.ts";
import { Chores } from "./chores.ts";
import type { EventLogs } from "./event-log.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeLink } from "./node-link.ts";
import { TaskLines } from "./task-lines.ts";

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
  /** A node was given up: whoever composed the engine may have it join again. */
  readonly nodeLost?: (host: string) => void;
  /** It cannot decide any more (C3): what runs, runs for nothing. Called once. */
  readonly failed?: () => void;
}

/** Timers overflow beyond this; a longer one is set again when it fires. */
const timerMsMax = 2 ** 31 - 1;

export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #ledger: Ledger;
  readonly #lines: TaskLines;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #chores = new Chores();
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
    this.#lines = new TaskLines(parts.logs);
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

  /** Rises whenever a job begins, ends or is forgotten. */
  get jobListVersion(): number {
    return this.machine.listVersion;
  }

  /** Records appended since the start, and their bytes. */
  get journalCounts(): { journalAppends: number; journalBytes: number } {
    return { journalAppends: this.#ledger.appends, journalBytes: this.#ledger.appendedBytes };
  }

  /** It takes and starts nothing. */
  get readOnly(): boolean {
    return false;
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
    this.assertAlive();
    const { logs, now } = this.#parts;
    logs.begin(job);
    this.#hold(job);
    try {
      this.record([{ kind: "job-submitted", at: now(), job, spec, ...(key === undefined ? {} : { key }) }]);
    } catch (error) {
      logs.end(job);
      this.#letGo(job);
      throw error;
    }
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
  settled(job: string): Promise<void> {
    return this.#chores.settled(job);
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
    await this.#chores.allSettled();
    // What broke in the middle of an event is not what the journal says (C3): no snapshot of it.
    if (this.#broken === null) this.#ledger.close();
    else this.#ledger.abandon();
  }

  #eventOf(host: string, report: NodeReport, at: number): MasterEvent | null {
    const { progress, signals } = this.#parts;
    const { job, stage, task, attempt } = report;
    const id: AttemptId = { job, stage, task, attempt };
    switch (report.kind) {
      case "progress":
        if (this.#isLive(id)) {
          progress.set(id, report.progress);
          signals.changed(job);
        }
        return null;
      case "message":
        if (this.#isLive(report)) this.#lines.said(host, this.#titleOf(report), report, at);
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
    this.#lines.ended(host, this.#titleOf(id), id, at);
  }

  #isLive({ job, stage, task, attempt }: AttemptId): boolean {
    return this.machine.jobs.get(job)?.stages[stage]?.liveAttempt(task, attempt) !== undefined;
  }

  #titleOf({ job, stage, task }: AttemptId): string | null {
    const name = this.machine.jobs.get(job)?.spec.pipeline[stage]?.name;
    return name === undefined ? null : `${name}:${task}`;
  }

  #carry(command: Command): void {
    const { nodes, logs, files, signals, progress } = this.#parts;
    switch (command.kind) {
      case "assign":
        void nodes.assign(command.host, this.machine.cluster.epoch, command.assignments).catch((error: unknown) => {
          this.#refused(command.host, error);
        });
        break;
      case "cancel":
        progress.end(command.id);
        nodes.cancel(command.host, [command.id]);
        break;
      case "stop-job":
        for (const host of command.hosts) this.#chores.add(command.job, nodes.stopJob(host, command.job));
        break;
      case "drop-files":
        for (const host of command.hosts)
          this.#chores.add(command.job, nodes.dropFiles(host, command.job, command.scope));
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
          this.#chores.add(command.job, nodes.endJob(host, command.job, this.#oobFiles(command.job, host)));
        }
        logs.end(command.job);
        progress.endJob(command.job);
        this.#lines.endJob(command.job);
        files.release(command.job);
        this.#letGo(command.job);
        signals.ended(command.job);
        break;
      case "forget-job":
        signals.ended(command.job);
        this.#chores.add(command.job, logs.forget(command.job));
        break;
    }
  }

  /** The job's out-of-band values on a node: file names by key. */
  #oobFiles(job: string, host: string): Record<string, string> {
    return Object.fromEntries(
      this.machine
        .oob(job)
        .filter((entry) => entry.host === host)
        .map(({ key, file }) => [key, file]),
    );
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
    const timer = setTimeout(
      () => {
        this.#timers.delete(key);
        if (this.#closed || this.#broken !== null) return;
        if (delay > timerMsMax) this.#setTimer(key, at);
        else this.#quietly(() => this.record([{ kind: "timer-fired", at: this.#parts.now(), key }]));
      },
      Math.min(delay, timerMsMax),
    );
    timer.unref();
    this.#timers.set(key, timer);
  }

  /**
   * The node did not take them, or took them and could not say so. It counts as lost, with all it has, until it joins again; if
   * it knows a newer master, this one has lost its office.
   */
  #refused(host: string, error: unknown): void {
    if (this.#closed || this.#broken !== null) return;
    if (error instanceof DiscoError && error.code === "stale-epoch") {
      this.#break(error);
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.#quietly(() => this.record([{ kind: "node-lost", at: this.#parts.now(), host, reason }]));
    this.#parts.nodeLost?.(host);
  }

  /** The error is kept and told to whoever asks next. */
  #quietly(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#break(error);
    }
  }

  #break(cause: unknown): DiscoError {
    if (this.#broken !== null) return this.#broken;
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = cause instanceof DiscoError ? cause.hint : undefined;
    this.#broken = new DiscoError(`the engine stopped: ${why}`, {
      code: cause instanceof DiscoError ? cause.code : "engine-failed",
      cause,
      hint: `${remedy === undefined ? "" : `${remedy} `}Open a new engine; jobs that had not ended are reported dead by it.`,
    });
    for (const job of [...this.#held]) this.#letGo(job);
    this.#parts.signals.all();
    this.#parts.failed?.();
    return this.#broken;
  }
}
