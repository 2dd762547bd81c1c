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
 * C4. On a journal that answers later, the master knows more than the journal says. Nobody is told of it before it is there:
 *     who reports or asks for something waits for `committed`, who asks a question for `assured`.
 */
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import { unsaved } from "../core/job/saving.ts";
import type { JobSpec } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import type { Clearance } from "../journal/commit-queue.ts";
import { Ledger } from "../journal/ledger.ts";
import { LocalJournal } from "../journal/local.ts";
import type { NodeHello, NodeReport } from "../protocol/messages.ts";
import { Authority } from "./authority.ts";
import { Chores } from "./chores.ts";
import { CommandCarrier } from "./command-carrier.ts";
import type { CoordinatorParts } from "./coordinator-parts.ts";
import { Follower } from "./follower.ts";
import { GoneNodes } from "./gone-nodes.ts";
import { HeldJobs } from "./held-jobs.ts";
import type { HeldPack } from "./held-pack.ts";
import { recordReports } from "./oversized-report.ts";
import { Replayed } from "./replayed.ts";
import { ReportTaker } from "./report-taker.ts";
import { engineAway, readOnlyBecause, stoppedBecause } from "./stopped.ts";
import { TaskLines } from "./task-lines.ts";
import { Timers } from "./timers.ts";

/** While jobs are active the scheduler is asked that often, as some of what it decides depends on time alone. */
const nudgeMs = 1_000;
/** Files that are being deleted when a daemon is closed may take so long; what is left then is deleted at the next start. */
const choresPatienceMs = 5_000;
/** So many events may wait for the engine; then nodes keep their reports. */
const backlogEventsMax = 10_000;

export class Coordinator extends Authority {
  readonly #reports: ReportTaker;
  readonly #timers: Timers;
  readonly #chores = new Chores();
  readonly #carrier: CommandCarrier;
  protected ledger: Ledger;
  #replayed: Replayed;
  /** Active jobs that hold the process. */
  readonly #held: HeldJobs;
  /** Nodes that have not said yet, since the journal was opened, which attempts they have. */
  readonly #awaited = new Set<string>();
  readonly #nudges: NodeJS.Timeout;
  readonly #gone: GoneNodes;
  /**
   * Reads a journal in this process and takes over. (`follow` is for those that answer later.)
   * @throws DiscoError what `Ledger.open` throws
   */
  constructor(parts: CoordinatorParts, follower: Follower | null = null) {
    super(parts, follower);
    this.#held = new HeldJobs(parts.keepAlive);
    this.#timers = new Timers(parts.now, (key) => {
      if (this.decides) this.#quietly(() => this.record([{ kind: "timer-fired", at: parts.now(), key }]));
    });
    const shared = { ...parts, lines: new TaskLines(parts.logs, parts.lines), machine: () => this.machine };
    this.#reports = new ReportTaker(shared);
    this.#carrier = new CommandCarrier({
      ...shared,
      chores: this.#chores,
      timers: this.#timers,
      refused: (host, error) => this.#refused(host, error),
      over: (job) => this.#held.letGo(job),
    });
    this.#gone = new GoneNodes({ ...shared, record: (events) => this.record(events) });
    if (follower === null) {
      [this.ledger, this.#replayed] = this.#read();
      this.#takeOver();
      if (parts.takeover === "interrupt" && this.machine.jobs.size > 0)
        this.record([{ kind: "interrupted", at: parts.now() }]);
    } else {
      [this.ledger, this.#replayed] = [follower.ledger, new Replayed(parts.logs)];
      follower.start({ reloaded: (ledger) => this.useInstead(ledger), failed: (error) => this.#break(error) });
    }
    this.#nudges = setInterval(() => {
      if (!this.decides) return;
      if (this.machine.jobs.size > 0) this.ledger.nudge();
      this.#quietly(() => this.#gone.forget());
    }, nudgeMs);
    this.#nudges.unref();
  }

  /**
   * Reads the journal and follows whoever leads: it answers questions, refuses what is to be recorded (`not-leading`), and takes
   * over by `lead`. @throws DiscoError what `Ledger.load` throws
   */
  static async follow(parts: CoordinatorParts): Promise<Coordinator> {
    let self: Coordinator | null = null;
    const follower = await Follower.load(parts, {
      carryOut: (commands) => {
        if (self !== null) self.#carry(commands);
      },
      failed: (error) => {
        if (self !== null) self.#journalFailed(error);
      },
      mayAssign: () => (self === null ? false : self.#mayAssign),
      settled: () => (self === null ? false : self.#isSettled),
    });
    self = new Coordinator(parts, follower);
    return self;
  }

  /**
   * Takes over, whoever led before. `false`: another master was faster, and is followed on. `clearance` is asked before each append.
   * @throws DiscoError what the journal throws; then it may be tried again. `closed` when the signal is aborted while it waits
   */
  async lead(clearance?: Clearance, signal?: AbortSignal): Promise<boolean> {
    this.assertAlive();
    const replayed = await this.follower?.lead(clearance, signal);
    if (replayed === undefined) return true;
    if (replayed === null) return false;
    this.#replayed = replayed;
    this.follower = null;
    this.#begin();
    if (this.decides) this.ledger.nudge();
    return true;
  }

  /**
   * Journals the events, carries out what follows, and hands out tasks.
   * @throws DiscoError `read-only`: they are not in the journal, or not all of them; `closed`; why the engine has stopped
   */
  record(events: readonly MasterEvent[]): void {
    this.assertDecides();
    const ledger = this.ledger;
    try {
      for (const event of events) ledger.record(event);
      ledger.flush();
    } catch (error) {
      // The machine does not know of it: nothing is broken.
      if (error instanceof DiscoError && error.code === "record-too-big") throw error;
      throw this.#break(error);
    }
    this.assertDecides();
  }

  /**
   * Starts a job whose pack is in its place already, and at the nodes that `held` names. Throws at once what keeps it out; resolves
   * when it is in the journal.
   */
  submit(job: string, spec: JobSpec, key?: string, held?: HeldPack): Promise<void> {
    this.assertDecides();
    const { logs, now } = this.parts;
    logs.begin(job, true);
    this.#held.hold(job);
    try {
      const pack = held === undefined ? {} : { holders: held.holders, packSha256: held.sha256 };
      this.record([{ kind: "job-submitted", at: now(), job, spec, ...(key === undefined ? {} : { key }), ...pack }]);
    } catch (error) {
      // What failed after its own record was written, has begun it all the same.
      if (!this.machine.jobs.has(job)) {
        logs.end(job);
        this.#held.letGo(job);
      }
      throw error;
    }
    return this.committed();
  }

  /** As `report`, of a node that is there. */
  join(hello: NodeHello): Promise<void> {
    this.assertDecides();
    this.#awaited.delete(hello.host);
    this.record([{ kind: "node-joined", at: this.parts.now(), ...hello }]);
    return this.committed();
  }

  /**
   * Gives up nodes that were here before and will not come again; returns those that were there until now. Each is forgotten as
   * soon as no active job may still read from it.
   */
  forgetNodes(isGone: (host: string) => boolean, reason: string): string[] {
    for (const host of this.#awaited) if (isGone(host)) this.#awaited.delete(host);
    return this.#gone.giveUp(isGone, reason);
  }

  /**
   * Reports of a node, in the order in which it made them. What was not journaled is refused as a whole, and comes again. Resolves when
   * they are in the journal. @throws DiscoError at once, as `record`; `engine-away` when too many wait already
   */
  report(host: string, reports: readonly NodeReport[]): Promise<void> {
    this.assertDecides();
    const { now } = this.parts;
    if (this.ledger.backlog > backlogEventsMax) throw engineAway(now() - (this.awaySince ?? now()));
    const events = this.#reports.take(host, reports, now());
    if (events.length > 0) recordReports((some) => this.record(some), events);
    if (this.ledger.backlog === 0) {
      this.#reports.taken(host);
      return this.committed();
    }
    return this.committed().then(() => this.#reports.taken(host));
  }

  /** A line for the logs of all active jobs, about the master itself. */
  tellJobs(level: "warning" | "info", message: string): void {
    const { logs, signals, now } = this.parts;
    const time = new Date(now()).toISOString();
    for (const job of this.machine.jobs.keys()) {
      logs.add(job, { time, host: "master", task: null, level, message });
      signals.changed(job);
    }
  }

  /** Has tasks assigned, should there be something to assign. */
  nudge(): void {
    if (this.decides) this.ledger.nudge();
  }

  /**
   * Takes over the journal again. Nodes are to join again, and to name the attempts they have. `false`: it still takes nothing.
   */
  resume(): boolean {
    if (this.failure === null || this.broken !== null || this.closed) return false;
    this.#takeOver();
    return this.decides;
  }

  /** Resolves when what was begun for the job (stopping it, deleting its files) is done, or the patience is over. */
  settled(job: string, patienceMs?: number): Promise<void> {
    return this.#chores.settled(job, patienceMs);
  }

  /** Stops deciding, and closes the journal; resolves when what was begun is done. */
  async close(): Promise<void> {
    if (this.closed) return;
    const { takeover, now, signals } = this.parts;
    if (takeover === "interrupt" && this.decides && this.machine.jobs.size > 0)
      this.#quietly(() => this.record([{ kind: "interrupted", at: now() }]));
    this.closed = true;
    clearInterval(this.#nudges);
    this.follower?.stop();
    this.#timers.clear();
    this.#held.letAllGo();
    signals.all();
    await this.#chores.allSettled(takeover === "interrupt" ? Number.POSITIVE_INFINITY : choresPatienceMs);
    // What broke in the middle of an event is not what the journal says (C3): no snapshot of it.
    if (!(this.parts.journal instanceof LocalJournal)) await this.ledger.closeLater();
    else if (this.broken === null && this.failure === null) this.ledger.close();
    else this.ledger.abandon();
  }

  /** @throws DiscoError what the journal throws, unless that passes */
  #takeOver(): void {
    try {
      this.ledger.takeOver();
    } catch (error) {
      this.failure = this.#passing(error);
      if (this.failure === null) throw error;
      return;
    }
    this.failure = null;
    this.#begin();
  }

  /** The journal's state; commands of what is replayed are gathered. */
  #read(): [Ledger, Replayed] {
    const { journal, writer, now, logs, options } = this.parts;
    if (!(journal instanceof LocalJournal)) throw new DiscoError("this journal is followed", { code: "impossible" });
    const replayed = new Replayed(logs);
    const ledger = Ledger.read({
      journal,
      writer,
      now,
      ...(options === undefined ? {} : { options }),
      carryOut: (commands) => this.#carry(commands),
      failed: (error) => this.#journalFailed(error),
      replayed: (command) => replayed.take(command),
      mayAssign: () => this.#mayAssign,
      settled: () => this.#isSettled,
    });
    return [ledger, replayed];
  }

  #carry(commands: readonly Command[]): void {
    for (const command of commands) this.#carrier.carry(command);
  }

  get #mayAssign(): boolean {
    // What tasks of a cluster write is on other disks than this one.
    const { room, journal } = this.parts;
    return this.decides && this.#awaited.size === 0 && !(room?.low === true && journal instanceof LocalJournal);
  }

  get #isSettled(): boolean {
    return this.#chores.idle && this.parts.logs.flush();
  }

  /** Goes on with what the journal says. */
  #begin(): void {
    const { takeover, logs, signals } = this.parts;
    const { jobs, cluster } = this.machine;
    const replayed = this.#replayed;
    replayed.writeLines(
      (line) => this.#carrier.log(line),
      (job) => jobs.has(job),
    );
    this.#replayed = new Replayed(logs);
    if (takeover === "interrupt") return;
    if (this.parts.awaitNodes !== false)
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
    for (const command of unsaved(jobs.values())) this.#carrier.carry(command);
    this.#carrier.redo(replayed.ends(), () => this.closed);
  }

  /**
   * The node did not take them, or took them and could not say so. It counts as lost, with all it has, until it joins again; if
   * says that there is a newer master, the journal is asked: a node alone puts no master out of office.
   */
  #refused(host: string, error: unknown): void {
    if (error instanceof DiscoError && error.code === "stale-epoch")
      void this.confirm().then(() => this.#giveUp(host, error));
    else this.#giveUp(host, error);
  }

  #giveUp(host: string, error: unknown): void {
    if (!this.decides) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#quietly(() => this.record([{ kind: "node-lost", at: this.parts.now(), host, reason }]));
    this.parts.nodeLost?.(host);
  }

  /** The error is kept and told to whoever asks next. */
  #quietly(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (this.failure === null) this.#break(error);
    }
  }

  /** `null`: it does not pass, or is no matter of this master's own disk. */
  #passing(error: unknown): DiscoError | null {
    const { journal, room } = this.parts;
    return journal instanceof LocalJournal ? readOnlyBecause(error, room) : null;
  }

  /** The machine is ahead of the journal: it is read anew, and then they are equal again (C3). */
  #journalFailed(error: DiscoError): void {
    this.failure = this.#passing(error);
    if (this.failure === null) {
      this.#break(error);
      return;
    }
    this.#timers.clear();
    this.ledger.leave();
    try {
      const [ledger, replayed] = this.#read();
      this.useInstead(ledger);
      this.#replayed = replayed;
    } catch (cause) {
      this.#break(cause);
    }
  }

  #break(cause: unknown): DiscoError {
    if (this.broken !== null) return this.broken;
    const next =
      this.parts.takeover === "interrupt"
        ? "Open a new engine; jobs that had not ended are reported dead by it."
        : "Start the daemon again; jobs that had not ended go on.";
    this.broken = stoppedBecause(cause, next);
    this.#held.letAllGo();
    this.parts.signals.all();
    this.parts.failed?.(this.broken);
    return this.broken;
  }
}
