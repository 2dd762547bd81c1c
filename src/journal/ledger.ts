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
 * writes. A journal in this process commits synchronously; nothing waits for a promise.
 */

import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import type { MasterOptions } from "../core/master.ts";
import { MasterMachine } from "../core/master.ts";
import type { MasterSnapshot } from "../core/snapshot.ts";
import { restoreMaster, snapshotMaster } from "../core/snapshot.ts";
import { DiscoError } from "../errors.ts";
import { paysAtEnd, recordsAfter, replayCost } from "./compaction.ts";
import type { Head, StoredSnapshot } from "./journal.ts";
import type { LocalJournal } from "./local.ts";
import { corrupt, decodeSnapshot, encodeRecord, encodeSnapshot, recordEventsMax } from "./record.ts";

/** Effects that never settle put a snapshot off for so many records at most. */
const unsettledRecordsMax = 10_000;
export interface LedgerParts {
  readonly journal: LocalJournal;
  /** Unique name of this process in the journal. */
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Carries out commands whose events are in the journal. Must not throw. It may call `record`. */
  readonly carryOut: (commands: readonly Command[]) => void;
  /** The journal failed (LE2). Called once. */
  readonly failed?: (error: DiscoError) => void;
  /** Told each command of the events that are replayed: a crash may have come before it was carried out. */
  readonly replayed?: (command: Command) => void;
  /** Whether tasks may be assigned now. Default: always. */
  readonly mayAssign?: () => boolean;
  /**
   * Whether all that commands caused so far has its effect. What a snapshot covers is not replayed: one is taken only then, or when
   * that has been put off for long. Default: always.
   */
  readonly settled?: () => boolean;
  /** Runs a function at the end of the turn. Default `setImmediate`. */
  readonly defer?: (act: () => void) => void;
  readonly options?: MasterOptions;
}

export class Ledger {
  readonly machine: MasterMachine;
  readonly #parts: LedgerParts;
  #head: Head;
  #events: MasterEvent[] = [];
  #commands: Command[] = [];
  #deferred = false;
  #nonce = 0;
  #error: DiscoError | null = null;
  #closed = false;
  #leads = false;
  #recordsToCompact: number;
  #snapshotSeq: number;
  #snapshotBytes: number;
  /** Since it was opened. */
  appends = 0;
  appendedBytes = 0;

  private constructor(
    parts: LedgerParts,
    machine: MasterMachine,
    { head, snapshot, replayed }: { head: Head; snapshot: StoredSnapshot | null; replayed: number },
  ) {
    this.#snapshotSeq = snapshot?.seq ?? 0;
    this.#snapshotBytes = snapshot?.body.length ?? 0;
    // Those that were replayed count: a journal whose owners never live long is compacted as well.
    this.#recordsToCompact = recordsAfter(this.#snapshotBytes) - replayed;
    this.#parts = parts;
    this.machine = machine;
    this.#head = head;
  }

  /**
   * Reads the journal and takes over: afterwards `machine` knows all that was recorded, under a new epoch. Pending timers
   * are `machine.timers()`; nothing is carried out by opening.
   * @throws DiscoError `journal-gap`, `journal-corrupt`, `newer-version`, `deposed`
   */
  static open(parts: LedgerParts): Ledger {
    const ledger = Ledger.read(parts);
    ledger.takeOver();
    return ledger;
  }

  /** As `open`, without taking over: `machine` answers questions, and nothing can be recorded before `takeOver`. */
  static read(parts: LedgerParts): Ledger {
    const { journal, options } = parts;
    journal.refreshSync();
    const snapshot = journal.snapshotSync();
    let head: Head = { seq: snapshot?.seq ?? 0, hash: snapshot?.hash ?? "" };
    const machine =
      snapshot === null ? new MasterMachine(options) : restoreMaster(decodeSnapshot<MasterSnapshot>(snapshot), options);
    let replayed = 0;
    for (const { stored, events } of journal.readEventsSync<MasterEvent>(head.seq + 1)) {
      for (const event of events) replay(machine, event, stored.seq, parts.replayed);
      head = { seq: stored.seq, hash: stored.hash };
      replayed += replayCost(events.length);
    }
    return new Ledger(parts, machine, { head, snapshot, replayed });
  }

  /** Raises the epoch; from now on this ledger records. @throws DiscoError what the journal throws; then it may be tried again */
  takeOver(): void {
    if (this.#leads) return;
    const { machine } = this;
    const started: MasterEvent = { kind: "master-started", at: this.#parts.now(), epoch: machine.cluster.epoch + 1 };
    machine.handle(started);
    this.#append([started]);
    this.#leads = true;
  }

  /** Why nothing is recorded any more; `null` while all is well. */
  get error(): DiscoError | null {
    return this.#error;
  }

  /**
   * Takes an event in: the machine knows it at once, the journal at the end of the turn, and then commands are carried out.
   * @throws DiscoError when the ledger has failed or is closed, and what the machine objects to (`job-exists`)
   */
  record(event: MasterEvent): void {
    this.#usable();
    for (const command of this.machine.handle(event)) this.#commands.push(command);
    this.#events.push(event);
    this.#deferFlush();
  }

  /** Has waiting tasks assigned at the end of the turn, also if nothing is recorded until then. */
  nudge(): void {
    this.#usable();
    this.#deferFlush();
  }

  /** Assigns what can be assigned, writes what is not written yet, and carries out what follows. */
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
    const scheduled = mayAssign?.() === false ? null : this.machine.schedule(now());
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
    if (this.#error !== null || this.#closed || this.#head.seq === this.#snapshotSeq) return;
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
      this.#parts.journal.saveSnapshotSync(this.#head, body);
      this.#parts.journal.trimSync(this.#head.seq + 1);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#snapshotSeq = this.#head.seq;
    this.#snapshotBytes = body.length;
    this.#recordsToCompact = recordsAfter(body.length);
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
    this.#parts.journal.closeSync();
  }

  /** Records nothing any more, and leaves the journal to a successor in this process. */
  leave(): void {
    this.#closed = true;
    this.#events = [];
    this.#commands = [];
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
    const answer = this.#parts.journal.appendSync(this.#head.seq, body);
    if (answer.kind === "conflict") {
      throw new DiscoError(`another master leads: it wrote record ${answer.seq} of the journal`, { code: "deposed" });
    }
    this.#head = { seq: answer.seq, hash: answer.hash };
    this.appends++;
    this.appendedBytes += body.length;
    this.#recordsToCompact -= replayCost(events.length);
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
    if (!this.#leads) throw new DiscoError("the ledger was not taken over yet", { code: "impossible" });
    if (this.#closed) throw new DiscoError("the engine is closed", { code: "closed" });
  }

  #fail(error: unknown): void {
    this.#error =
      error instanceof DiscoError
        ? error
        : new DiscoError("the journal failed", { code: "journal-error", cause: error });
    this.#events = [];
    this.#commands = [];
    this.#parts.failed?.(this.#error);
  }
}

function replay(
  machine: MasterMachine,
  event: MasterEvent,
  seq: number,
  replayed: ((command: Command) => void) | undefined,
): void {
  let commands: Command[];
  try {
    commands = machine.handle(event);
  } catch (cause) {
    throw corrupt(seq, `event ${event.kind} cannot follow those before it`, cause);
  }
  if (replayed !== undefined) for (const command of commands) replayed(command);
}
