/**
 * The shell around the deciding core: turns what happens into events, has them journaled, then carries out what follows.
 *
 *   report, submission, wish, timer ──▶ events ──▶ ledger (journal, machine) ──▶ commands ──▶ nodes, logs, who waits
 *                                                      │                             ▲
 *                                                      └── schedule ── assigned ─────┘
 *
 * C1. Nothing is carried out before the events that led to it are in the journal.
 * C2. A report is acknowledged after it was journaled; one that comes twice changes nothing (attempts are fenced).
 * C3. What the master knows and what the journal says never differ. When the journal fails, the master stops deciding. Without
 *     a `room` to wait for, that is its end: everything that waits ends with that error. With one, its state is read from the
 *     journal again at once, questions are answered from that, and `resume` has it go on when the journal takes records again.
 */
import type { Alarm } from "../client/master-api.ts";
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import type { JobSpec } from "../core/job/spec.ts";
import type { MasterMachine, MasterOptions } from "../core/master.ts";
import { DiscoError } from "../errors.ts";
import { Ledger } from "../journal/ledger.ts";
import type { LocalJournal } from "../journal/local.ts";
import type { NodeHello, NodeReport } from "../protocol/messages.ts";
import { Chores } from "./chores.ts";
import { CommandCarrier } from "./command-carrier.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { EventLogs } from "./event-log.ts";
import { GoneNodes } from "./gone-nodes.ts";
import { HeldJobs } from "./held-jobs.ts";
import type { JobFiles } from "./job-files.ts";
import type { JobSignals } from "./job-signals.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { NodeLink } from "./node-link.ts";
import { Replayed } from "./replayed.ts";
import { ReportTaker } from "./report-taker.ts";
import { readOnlyBecause, stoppedBecause } from "./stopped.ts";
import { TaskLines } from "./task-lines.ts";
import { Timers } from "./timers.ts";

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
  /**
   * What becomes of jobs that the last owner of the journal left unfinished, and of those that this one leaves. `interrupt`: they
   * are dead, as their workers are. `continue`: they go on with whoever opens the journal.
   */
  readonly takeover: "interrupt" | "continue";
  readonly options?: MasterOptions;
  /** The disk that everything is on. Absent: nobody looks, and a journal that fails is the end (C3). */
  readonly room?: DiskRoom;
  /** A node was given up: whoever composed the engine may have it join again. */
  readonly nodeLost?: (host: string) => void;
  /** It cannot decide any more (C3): what runs, runs for nothing. Called once. */
  readonly failed?: (error: DiscoError) => void;
}

/** While jobs are active the scheduler is asked that often, as some of what it decides depends on time alone. */
const nudgeMs = 1_000;
/** Files that are being deleted when a daemon is closed may take so long; what is left then is deleted at the next start. */
const choresPatienceMs = 5_000;
export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #reports: ReportTaker;
  readonly #timers: Timers;
  readonly #chores = new Chores();
  readonly #carrier: CommandCarrier;
  #ledger: Ledger;
  #replayed: Replayed;
  /** Active jobs that hold the process. */
  readonly #held: HeldJobs;
  /** Nodes that have not said yet, since the journal was opened, which attempts they have. */
  readonly #awaited = new Set<string>();
  readonly #nudges: NodeJS.Timeout;
  readonly #gone: GoneNodes;
  /** Why the journal takes nothing at present. */
  #behind: DiscoError | null = null;
  #broken: DiscoError | null = null;
  #closed = false;
  /** `listVersion` of machines before the present one, and what was counted then. */
  #listVersionBefore = 0;
  #countsBefore = { journalAppends: 0, journalBytes: 0 };

  /**
   * Reads the journal and takes over.
   * @throws DiscoError what `Ledger.open` throws
   */
  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
    this.#held = new HeldJobs(parts.keepAlive);
    this.#timers = new Timers(parts.now, (key) => {
      if (this.#decides) this.#quietly(() => this.record([{ kind: "timer-fired", at: parts.now(), key }]));
    });
    const shared = { ...parts, lines: new TaskLines(parts.logs), machine: () => this.machine };
    this.#reports = new ReportTaker(shared);
    this.#carrier = new CommandCarrier({
      ...shared,
      chores: this.#chores,
      timers: this.#timers,
      refused: (host, error) => this.#refused(host, error),
      over: (job) => this.#held.letGo(job),
    });
    this.#gone = new GoneNodes({ ...shared, record: (events) => this.record(events) });
    [this.#ledger, this.#replayed] = this.#read();
    this.#takeOver();
    if (parts.takeover === "interrupt" && this.machine.jobs.size > 0)
      this.record([{ kind: "interrupted", at: parts.now() }]);
    this.#nudges = setInterval(() => {
      if (!this.#decides) return;
      if (this.machine.jobs.size > 0) this.#ledger.nudge();
      this.#quietly(() => this.#gone.forget());
    }, nudgeMs);
    this.#nudges.unref();
  }

  get machine(): MasterMachine {
    return this.#ledger.machine;
  }

  /** Rises whenever a job begins, ends or is forgotten. */
  get jobListVersion(): number {
    return this.#listVersionBefore + this.machine.listVersion;
  }

  /** Records appended since the start, and their bytes. */
  get journalCounts(): { journalAppends: number; journalBytes: number } {
    const { journalAppends, journalBytes } = this.#countsBefore;
    const { appends, appendedBytes } = this.#ledger;
    return { journalAppends: journalAppends + appends, journalBytes: journalBytes + appendedBytes };
  }

  /** It takes and starts nothing, as there is no room. */
  get readOnly(): boolean {
    return this.#behind !== null || this.#parts.room?.low === true;
  }

  /** The journal failed: what happens cannot be taken in until `resume`. */
  get behind(): boolean {
    return this.#behind !== null;
  }

  /** Why the journal takes nothing; `null` when it does. */
  get journalAlarm(): Alarm | null {
    if (this.#behind === null) return null;
    const { message, hint = "" } = this.#behind;
    return { code: "journal-failed", message, hint, since: this.#parts.now() };
  }

  /** Throws if the engine cannot decide any more, and never will. */
  assertAlive(): void {
    if (this.#broken !== null) throw this.#broken;
    if (this.#closed) throw new DiscoError("the engine is closed", { code: "closed" });
  }

  /** Throws `read-only` where there is no room for something new. */
  assertRoom(): void {
    this.assertAlive();
    const { room } = this.#parts;
    if (this.#behind !== null) throw this.#behind;
    room?.look();
    if (room?.low === true) throw room.refusal();
  }

  /**
   * Journals the events, carries out what follows, and hands out tasks.
   * @throws DiscoError `read-only`: they are not in the journal, or not all of them; `closed`; why the engine has stopped
   */
  record(events: readonly MasterEvent[]): void {
    this.#assertDecides();
    const ledger = this.#ledger;
    try {
      for (const event of events) ledger.record(event);
      ledger.flush();
    } catch (error) {
      throw this.#break(error);
    }
    this.#assertDecides();
  }

  /** Starts a job whose pack is in its place already. */
  submit(job: string, spec: JobSpec, key: string | undefined): void {
    this.assertAlive();
    const { logs, now } = this.#parts;
    logs.begin(job, true);
    this.#held.hold(job);
    try {
      this.record([{ kind: "job-submitted", at: now(), job, spec, ...(key === undefined ? {} : { key }) }]);
    } catch (error) {
      // What failed after its own record was written, has begun it all the same.
      if (!this.machine.jobs.has(job)) {
        logs.end(job);
        this.#held.letGo(job);
      }
      throw error;
    }
  }

  join(hello: NodeHello): void {
    this.#assertDecides();
    this.#awaited.delete(hello.host);
    this.record([{ kind: "node-joined", at: this.#parts.now(), ...hello }]);
  }

  /**
   * Gives up nodes that were here before and will not come again; returns those that were there until now. Each is forgotten as
   * soon as no active job may still read from it.
   */
  forgetNodes(isGone: (host: string) => boolean, reason: string): string[] {
    for (const host of this.#awaited) if (isGone(host)) this.#awaited.delete(host);
    return this.#gone.giveUp(isGone, reason);
  }

  /** Reports of a node, in the order in which it made them. What was not journaled is refused as a whole, and comes again. */
  report(host: string, reports: readonly NodeReport[]): void {
    this.#assertDecides();
    const events = this.#reports.take(host, reports, this.#parts.now());
    if (events.length > 0) this.record(events);
    this.#reports.taken(host);
  }

  /** A line for the logs of all active jobs, about the master itself. */
  tellJobs(level: "warning" | "info", message: string): void {
    const { logs, signals, now } = this.#parts;
    const time = new Date(now()).toISOString();
    for (const job of this.machine.jobs.keys()) {
      logs.add(job, { time, host: "master", task: null, level, message });
      signals.changed(job);
    }
  }

  /** Has tasks assigned, should there be something to assign. */
  nudge(): void {
    if (this.#decides) this.#ledger.nudge();
  }

  /**
   * Takes over the journal again. Nodes are to join again, and to name the attempts they have. `false`: it still takes nothing.
   */
  resume(): boolean {
    if (this.#behind === null || this.#broken !== null || this.#closed) return false;
    this.#takeOver();
    return this.#decides;
  }

  /** Resolves when what was begun for the job (stopping it, deleting its files) is done. */
  settled(job: string): Promise<void> {
    return this.#chores.settled(job);
  }

  /** Stops deciding, and closes the journal; resolves when what was begun is done. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const { takeover, now, signals } = this.#parts;
    if (takeover === "interrupt" && this.#decides && this.machine.jobs.size > 0)
      this.#quietly(() => this.record([{ kind: "interrupted", at: now() }]));
    this.#closed = true;
    clearInterval(this.#nudges);
    this.#timers.clear();
    this.#held.letAllGo();
    signals.all();
    await this.#chores.allSettled(takeover === "interrupt" ? Number.POSITIVE_INFINITY : choresPatienceMs);
    // What broke in the middle of an event is not what the journal says (C3): no snapshot of it.
    if (this.#broken === null && this.#behind === null) this.#ledger.close();
    else this.#ledger.abandon();
  }

  get #decides(): boolean {
    return !this.#closed && this.#broken === null && this.#behind === null;
  }

  #assertDecides(): void {
    this.assertAlive();
    if (this.#behind !== null) throw this.#behind;
  }

  /** @throws DiscoError what the journal throws, unless that passes */
  #takeOver(): void {
    try {
      this.#ledger.takeOver();
    } catch (error) {
      this.#behind = readOnlyBecause(error, this.#parts.room);
      if (this.#behind === null) throw error;
      return;
    }
    this.#behind = null;
    this.#begin();
  }

  /** The journal's state; commands of what is replayed are gathered. */
  #read(): [Ledger, Replayed] {
    const { journal, writer, now, logs, options, room } = this.#parts;
    const replayed = new Replayed(logs);
    const ledger = Ledger.read({
      journal,
      writer,
      now,
      ...(options === undefined ? {} : { options }),
      carryOut: (commands: readonly Command[]) => {
        for (const command of commands) this.#carrier.carry(command);
      },
      failed: (error) => this.#journalFailed(error),
      replayed: (command) => replayed.take(command),
      mayAssign: () => this.#decides && this.#awaited.size === 0 && room?.low !== true,
      settled: () => this.#chores.idle && logs.flush(),
    });
    return [ledger, replayed];
  }

  /** Goes on with what the journal says. */
  #begin(): void {
    const { takeover, logs, signals } = this.#parts;
    const { jobs, cluster } = this.machine;
    const replayed = this.#replayed;
    replayed.writeLines(
      (line) => this.#carrier.log(line),
      (job) => jobs.has(job),
    );
    this.#replayed = new Replayed(logs);
    if (takeover === "interrupt") return;
    for (const { host, connected } of cluster.nodes.values()) if (connected) this.#awaited.add(host);
    for (const job of jobs.keys()) {
      logs.begin(job);
      this.#held.hold(job);
    }
    for (const job of this.#held.names().filter((held) => !jobs.has(held))) {
      logs.end(job);
      this.#held.letGo(job);
      signals.ended(job);
    }
    for (const { key, at } of this.machine.timers()) this.#timers.set(key, at);
    this.#carrier.redo(replayed.ends(), () => this.#closed);
  }

  /**
   * The node did not take them, or took them and could not say so. It counts as lost, with all it has, until it joins again; if
   * it knows a newer master, this one has lost its office.
   */
  #refused(host: string, error: unknown): void {
    if (!this.#decides) return;
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
      if (this.#behind === null) this.#break(error);
    }
  }

  /** The machine is ahead of the journal: it is read anew, and then they are equal again (C3). */
  #journalFailed(error: DiscoError): void {
    this.#behind = readOnlyBecause(error, this.#parts.room);
    if (this.#behind === null) {
      this.#break(error);
      return;
    }
    this.#timers.clear();
    this.#ledger.leave();
    this.#listVersionBefore += this.machine.listVersion + 1;
    this.#countsBefore = this.journalCounts;
    try {
      [this.#ledger, this.#replayed] = this.#read();
    } catch (cause) {
      this.#break(cause);
    }
  }

  #break(cause: unknown): DiscoError {
    if (this.#broken !== null) return this.#broken;
    const next =
      this.#parts.takeover === "interrupt"
        ? "Open a new engine; jobs that had not ended are reported dead by it."
        : "Start the daemon again; jobs that had not ended go on.";
    this.#broken = stoppedBecause(cause, next);
    this.#held.letAllGo();
    this.#parts.signals.all();
    this.#parts.failed?.(this.#broken);
    return this.#broken;
  }
}
