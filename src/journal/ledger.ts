/**
 * The master's memory that lasts: the deciding core with a journal below it.
 *
 * ```
 *  record(event) ─▶ machine ─▶ commands ┐                       (at once, in memory)
 *                                       ├─▶ journal ─▶ carryOut  (together, at the end of the turn, or by flush())
 *  schedule ──────▶ machine ─▶ commands ┘
 * ```
 * LE1. Commands are carried out after all events that led to them are in the journal, in the order of the events.
 * LE2. When an append fails, nothing more is recorded or carried out: the machine is ahead of the journal, and only
 *      opening the ledger anew brings them together. A conflict means that another master leads.
 * LE3. Opening folds snapshot and records into a machine that equals the one that wrote them, then raises the epoch. Between
 *      the two the machine can be asked, but takes nothing in.
 *
 * All events of one turn of the event loop share a record, 64 at most, so that a thousand reports cost some twenty
 * writes. A journal in this process commits synchronously (`open`); nothing waits for a promise. With one that answers later
 * (`load`, `lead`) what is to be written waits in a queue (`commit-queue.ts`), and the machine is ahead of the journal by that:
 * whoever tells others what the machine knows, waits for `committed`.
 */
import { setTimeout as after } from "node:timers/promises";
import type { Command } from "../core/commands.ts";
import type { MasterEvent, MasterStarted } from "../core/events.ts";
import type { MasterMachine } from "../core/master.ts";
import { snapshotMaster } from "../core/snapshot.ts";
import { DiscoError } from "../errors.ts";
import { addAssigned } from "./assigned.ts";
import type { Clearance } from "./commit-queue.ts";
import { CommitQueue, deposed, encodeEvent } from "./commit-queue.ts";
import { paysAtEnd, recordsAfter, replayCost } from "./compaction.ts";
import { appendFirst } from "./first-record.ts";
import { Fold } from "./fold.ts";
import type { Head, StoredRecord } from "./journal.ts";
import type { LedgerParts } from "./ledger-parts.ts";
import { LocalJournal } from "./local.ts";
import { encodeRecord, encodeSnapshot, recordEventsMax } from "./record.ts";
import { saveSnapshotLater } from "./snapshot-later.ts";

/** Effects that never settle put a snapshot off for so many records at most. */
const unsettledRecordsMax = 10_000;
/** What waits for the journal when the ledger is closed gets so long. */
const closePatienceMs = 5_000;
const defaultPause = (ms: number): Promise<void> => after(ms, undefined, { ref: false });

export class Ledger {
  readonly machine: MasterMachine;
  readonly #parts: LedgerParts;
  readonly #local: LocalJournal | null;
  readonly #fold: Fold;
  readonly #over = new AbortController();
  /** Of a journal that answers later, from `lead` on. */
  #queue: CommitQueue | null = null;
  #head: Head;
  #events: MasterEvent[] = [];
  #commands: Command[] = [];
  #deferred = false;
  #nonce = 0;
  #error: DiscoError | null = null;
  #closed = false;
  #leads = false;
  #compacting = false;
  #recordsToCompact: number;
  #snapshotSeq: number;
  #snapshotBytes: number;
  /** Since it was opened. */
  appends = 0;
  appendedBytes = 0;

  private constructor(parts: LedgerParts, fold: Fold) {
    this.#parts = parts;
    this.#local = parts.journal instanceof LocalJournal ? parts.journal : null;
    this.#fold = fold;
    this.machine = fold.machine;
    this.#head = fold.head;
    this.#snapshotSeq = fold.snapshot.seq;
    this.#snapshotBytes = fold.snapshot.bytes;
    // Those that were replayed count: a journal whose owners never live long is compacted as well.
    this.#recordsToCompact = recordsAfter(this.#snapshotBytes) - fold.cost;
  }

  /**
   * Reads the journal and takes over: afterwards `machine` knows all that was recorded, under a new epoch. Pending timers
   * are `machine.timers()`; nothing is carried out by opening.
   * @throws DiscoError `journal-gap`, `journal-corrupt`, `newer-version`, `deposed`
   */
  static open(parts: LedgerParts & { readonly journal: LocalJournal }): Ledger {
    const ledger = Ledger.read(parts);
    ledger.takeOver();
    return ledger;
  }

  /** As `open`, without taking over: `machine` answers questions, and nothing can be recorded before `takeOver`. */
  static read(parts: LedgerParts & { readonly journal: LocalJournal }): Ledger {
    return new Ledger(parts, Fold.readSync(parts.journal, parts));
  }

  /**
   * Reads a journal that answers later. `machine` answers questions, and knows more as records are folded; nothing can be
   * recorded before `lead`. @throws DiscoError as `open`
   */
  static async load(parts: LedgerParts): Promise<Ledger> {
    return new Ledger(parts, await Fold.read(parts.journal, parts));
  }

  /** Raises the epoch; from now on this ledger records. @throws DiscoError what the journal throws; then it may be tried again */
  takeOver(): void {
    if (this.#leads) return;
    const started = this.#started();
    this.machine.handle(started);
    this.#append([started]);
    this.#leads = true;
  }

  /** The last record that `machine` knows of; of one that leads: the last that is committed. */
  get head(): Head {
    return this.#head;
  }

  /** Folds a record that another master has appended. Nothing, when this one leads. @throws DiscoError as `open` */
  fold(stored: StoredRecord): void {
    if (this.#leads || this.#closed) return;
    this.#fold.add(stored);
    this.#folded();
  }

  /**
   * Folds what is missing and takes over. `false`: another master appended at the same time; it is to be followed on. Waits for
   * an engine that is away, until the signal is aborted. `clearance`: asked before each append. @throws DiscoError as `open`, `closed`
   */
  async lead(clearance?: Clearance, signal: AbortSignal = this.#over.signal): Promise<boolean> {
    if (this.#leads) return true;
    const { journal, writer, pause } = this.#parts;
    await this.#fold.catchUp(journal);
    const started = this.#started();
    const either = AbortSignal.any([signal, this.#over.signal]);
    const patience = { signal: either, pause: pause ?? defaultPause, away: () => undefined };
    const bytes = await appendFirst(journal, this.#fold, { writer, nonce: String(this.#nonce++), started }, patience);
    this.#folded();
    if (bytes === null) return false;
    this.#count(bytes, 1);
    this.#queue = new CommitQueue({
      journal,
      writer,
      nonce: () => String(this.#nonce++),
      epoch: started.epoch,
      head: this.#head,
      now: this.#parts.now,
      carryOut: this.#parts.carryOut,
      appended: (head, events, bytes) => {
        this.#head = head;
        this.#count(bytes, events);
      },
      drained: () => {
        if (this.#recordsToCompact <= 0) this.#compact();
      },
      failed: (error) => this.#fail(error),
      ...(pause === undefined ? {} : { pause }),
      ...(clearance === undefined ? {} : { clearance }),
    });
    this.#leads = true;
    return true;
  }

  /** Resolves when everything that was recorded so far is in the journal. @throws DiscoError why it will not be */
  committed(): Promise<void> {
    if (this.#error !== null) return Promise.reject(this.#error);
    return this.#queue?.committed() ?? Promise.resolve();
  }

  /** Ends it, if another master has appended after the last record that is known to be committed. @throws when it cannot be asked */
  async confirm(): Promise<void> {
    const queue = this.#queue;
    const before = this.#head.seq;
    if (queue === null || queue.appending) return;
    const { seq } = await this.#parts.journal.head();
    // What this one has appended meanwhile is no reason.
    if (seq <= before || this.#head.seq !== before || this.#queue?.appending !== false || this.#error !== null) return;
    this.#fail(deposed(before + 1));
  }

  /** Since when the engine of the journal does not answer (ms since 1970); `null`: it does. */
  get awaySince(): number | null {
    return this.#queue?.awaySince ?? null;
  }

  /** Events that are recorded, and not committed yet. */
  get backlog(): number {
    return this.#queue?.backlog ?? 0;
  }

  /** Why nothing is recorded any more; `null` while all is well. */
  get error(): DiscoError | null {
    return this.#error;
  }

  /**
   * Takes an event in: the machine knows it at once, the journal at the end of the turn, and then commands are carried out.
   * @throws DiscoError when the ledger has failed, is closed or does not lead, what the machine objects to (`job-exists`), and
   *   `record-too-big` of a journal that answers later
   */
  record(event: MasterEvent): void {
    this.#usable();
    if (this.#queue === null) {
      for (const command of this.machine.handle(event)) this.#commands.push(command);
      this.#events.push(event);
    } else {
      // What does not fit is refused before the machine knows it.
      const encoded = encodeEvent(this.#parts.journal, event);
      this.#queue.add(encoded, this.machine.handle(event));
    }
    this.#deferFlush();
  }

  /** Has waiting tasks assigned at the end of the turn, also if nothing is recorded until then. */
  nudge(): void {
    this.#usable();
    this.#deferFlush();
  }

  /** Assigns what can be assigned, writes what is not written yet (or begins to), and carries out what follows. */
  flush(): void {
    this.#write();
    if (this.#recordsToCompact <= 0) this.#compact();
  }

  /** Replaces the records so far by a snapshot. */
  compact(): void {
    this.#write();
    this.#compact();
  }

  #write(): void {
    if (this.#error !== null || this.#closed || !this.#leads) return;
    const { mayAssign, now } = this.#parts;
    // What an engine that is away does not take is decided when it is back, with what is known then.
    const may = mayAssign?.() !== false && this.awaySince === null;
    const scheduled = may ? this.machine.schedule(now()) : null;
    if (this.#queue !== null) {
      try {
        if (scheduled !== null) addAssigned(this.#parts.journal, this.#queue, scheduled);
        this.#queue.pump();
      } catch (error) {
        this.#fail(error);
      }
      return;
    }
    if (scheduled !== null) {
      this.#events.push(scheduled.event);
      for (const command of scheduled.commands) this.#commands.push(command);
    }
    const events = this.#events;
    const commands = this.#commands;
    this.#events = [];
    this.#commands = [];
    try {
      for (let from = 0; from < events.length; from += recordEventsMax)
        this.#append(events.slice(from, from + recordEventsMax));
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (commands.length > 0) this.#parts.carryOut(commands);
  }

  #compact(): void {
    if (this.#queue !== null) void this.#compactLater(this.#queue);
    if (this.#local === null || this.#error !== null || this.#closed || this.#head.seq === this.#snapshotSeq) return;
    if (this.#recordsToCompact > -unsettledRecordsMax && this.#parts.settled?.() === false) return;
    // Recorded while commands were carried out: the machine is ahead of the journal until the next turn.
    if (this.#events.length > 0) return;
    let body: Uint8Array;
    try {
      body = encodeSnapshot(snapshotMaster(this.machine));
    } catch {
      // A state above the longest string there is: its records stay, which costs time when they are read.
      this.#recordsToCompact = recordsAfter(0);
      return;
    }
    try {
      this.#local.saveSnapshotSync(this.#head, body);
      this.#local.trimSync(this.#head.seq + 1);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#snapshotSeq = this.#head.seq;
    this.#snapshotBytes = body.length;
    this.#recordsToCompact = recordsAfter(body.length);
  }

  /** A snapshot of the state after everything that is recorded by now, saved while other things go on. */
  async #compactLater(queue: CommitQueue): Promise<void> {
    if (this.#compacting || this.#error !== null || this.#closed || this.awaySince !== null) return;
    const overdue = this.#recordsToCompact <= -unsettledRecordsMax;
    if (!overdue && (!queue.idle || this.#parts.settled?.() === false)) return;
    this.#compacting = true;
    try {
      const { seq, bytes } = await saveSnapshotLater(this.#parts.journal, queue, this.machine);
      this.#snapshotSeq = seq;
      this.#snapshotBytes = bytes;
      this.#recordsToCompact = recordsAfter(bytes);
    } catch {
      // The records are there still, which costs time when they are read. What ends the ledger is told by its next append.
      this.#recordsToCompact = Math.max(this.#recordsToCompact, recordsAfter(0));
    } finally {
      this.#compacting = false;
    }
  }

  /** As `close`, of a journal that answers later: it is given some seconds to take what waits. */
  async closeLater(): Promise<void> {
    if (this.#closed) return;
    this.#write();
    const { pause = defaultPause } = this.#parts;
    await Promise.race([this.committed().catch(() => undefined), pause(closePatienceMs)]);
    this.leave();
    await this.#parts.journal.close();
  }

  /** Writes what is not written yet, takes a snapshot if that pays, and closes the journal. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    if (this.#error === null && paysAtEnd(this.#snapshotBytes, this.#head.seq - this.#snapshotSeq)) this.compact();
    this.abandon();
  }

  /** Closes the journal as it is: what is in memory only is not to be trusted any more. */
  abandon(): void {
    if (this.#closed) return;
    this.leave();
    this.#local?.closeSync();
  }

  /** Records nothing any more, and leaves the journal to a successor in this process. */
  leave(): void {
    this.#closed = true;
    this.#over.abort();
    this.#queue?.stop();
    this.#events = [];
    this.#commands = [];
  }

  #started(): MasterStarted {
    return { kind: "master-started", at: this.#parts.now(), epoch: this.machine.cluster.epoch + 1 };
  }

  #folded(): void {
    this.#head = this.#fold.head;
    this.#recordsToCompact = recordsAfter(this.#snapshotBytes) - this.#fold.cost;
  }

  #count(bytes: number, events: number): void {
    this.appends++;
    this.appendedBytes += bytes;
    this.#recordsToCompact -= replayCost(events);
  }

  #append(events: readonly MasterEvent[]): void {
    const body = encodeRecord({
      seq: this.#head.seq + 1,
      prevHash: this.#head.hash,
      epoch: this.machine.cluster.epoch,
      writer: this.#parts.writer,
      nonce: String(this.#nonce++),
      events,
    });
    if (this.#local === null) throw new DiscoError("this journal answers later", { code: "impossible" });
    const answer = this.#local.appendSync(this.#head.seq, body);
    if (answer.kind === "conflict") throw deposed(answer.seq);
    this.#head = { seq: answer.seq, hash: answer.hash };
    this.#count(body.length, events.length);
  }

  #deferFlush(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    (this.#parts.defer ?? setImmediate)(() => {
      this.#deferred = false;
      this.flush();
    });
  }

  #usable(): void {
    if (this.#error !== null) throw this.#error;
    if (this.#closed) throw new DiscoError("the engine is closed", { code: "closed" });
    if (!this.#leads) throw new DiscoError("this master does not lead", { code: "not-leading", retry: "here" });
  }

  #fail(error: unknown): void {
    this.#error =
      error instanceof DiscoError
        ? error
        : new DiscoError("the journal failed", { code: "journal-error", cause: error });
    this.#events = [];
    this.#commands = [];
    this.#queue?.stop(this.#error);
    this.#parts.failed?.(this.#error);
  }
}
