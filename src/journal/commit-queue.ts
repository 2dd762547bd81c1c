/**
 * Events on their way into a journal that answers later: a queue of them, and one append at a time.
 *
 * ```
 *  add(event, commands) ─▶ queue ─▶ record ─▶ append ─▶ carryOut(commands of the record) ─▶ committed()
 *                            ▲                  │
 *                            └── what comes while it is under way shares the next record (64 events, recordBytesMax)
 * ```
 * CQ1. Records are appended one after the other, each after the one before is known to be committed.
 * CQ2. Commands are carried out after their record is committed, in the order of the events.
 * CQ3. An engine that is away holds everything up, for as long as it takes; a record in our place ends it (`deposed`).
 * CQ4. After a failure, nothing more is appended or carried out, and everybody who waits is told.
 *
 * The first event of a quiet time goes out at the end of the turn; under load, a record takes what came during one round trip.
 */
import { setTimeout as after } from "node:timers/promises";
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import { DiscoError } from "../errors.ts";
import { appendSurely } from "./append.ts";
import type { Head, Journal } from "./journal.ts";
import { encodeRecordOf, recordEventsMax } from "./record.ts";

/** Of a record, beside its events: numbers, a hash, names. */
const frameBytes = 1_024;

export interface CommitQueueParts {
  readonly journal: Journal;
  readonly writer: string;
  /** Unique among this writer's records. */
  readonly nonce: () => string;
  readonly epoch: number;
  /** Of the record before the first. */
  readonly head: Head;
  readonly now: () => number;
  readonly carryOut: (commands: readonly Command[]) => void;
  readonly appended: (head: Head, events: number, bytes: number) => void;
  /** Everything that was added is committed. */
  readonly drained: () => void;
  /** Called once. */
  readonly failed: (error: DiscoError) => void;
  readonly pause?: (ms: number) => Promise<void>;
  /** `null`: it may append now. Else what resolves when it may. Default: it always may. */
  readonly clearance?: Clearance;
}

export type Clearance = () => Promise<void> | null;

/** An event as it goes into a record. */
export interface EncodedEvent {
  readonly text: string;
  readonly bytes: number;
}

interface Entry extends EncodedEvent {
  readonly commands: readonly Command[];
}

interface Waiter {
  /** Number of entries that are to be committed. */
  readonly upTo: number;
  readonly resolve: (head: Head) => void;
  readonly reject: (error: DiscoError) => void;
}

/** @throws DiscoError `record-too-big` */
export function encodeEvent(journal: Journal, event: MasterEvent): EncodedEvent {
  const text = JSON.stringify(event);
  const bytes = Buffer.byteLength(text);
  if (bytes + frameBytes <= journal.caps.recordBytesMax) return { text, bytes };
  throw new DiscoError(
    `an event (${event.kind}) of ${bytes} bytes does not fit into a record of the journal, which has ` +
      `${journal.caps.recordBytesMax} bytes at most`,
    { code: "record-too-big", hint: "Have the journal's engine take larger messages, or make the job smaller." },
  );
}

export class CommitQueue {
  readonly #parts: CommitQueueParts;
  readonly #over = new AbortController();
  #head: Head;
  #entries: Entry[] = [];
  #added = 0;
  #done = 0;
  #waiters: Waiter[] = [];
  /** Counts of entries after which a record has to end. */
  #boundaries: number[] = [];
  #running = false;
  #appending = false;
  #awaySince: number | null = null;
  #error: DiscoError | null = null;

  constructor(parts: CommitQueueParts) {
    this.#parts = parts;
    this.#head = parts.head;
  }

  /** Everything that was added is committed. */
  get idle(): boolean {
    return this.#done === this.#added;
  }

  /** A record is under way: what lies at the head of the journal may be its own. */
  get appending(): boolean {
    return this.#appending;
  }

  /** Events that are not committed yet. */
  get backlog(): number {
    return this.#added - this.#done;
  }

  /** Since when the engine does not answer (ms since 1970); `null`: it does. */
  get awaySince(): number | null {
    return this.#awaySince;
  }

  /** It goes out with the next `pump`, or with a record before. */
  add(event: EncodedEvent, commands: readonly Command[]): void {
    this.#entries.push({ ...event, commands });
    this.#added++;
  }

  /** Begins to append, unless that is under way. */
  pump(): void {
    if (this.#running || this.#error !== null || this.#entries.length === 0) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
      this.pump();
      if (this.idle && this.#error === null) this.#parts.drained();
    });
  }

  /** Resolves when everything that was added is committed and carried out. @throws why it will not be */
  async committed(): Promise<void> {
    if (!this.idle) await this.#upTo(this.#added);
  }

  /** As `committed`; a record ends there, whose place it answers. */
  async boundary(): Promise<Head> {
    if (this.idle) return this.#head;
    this.#boundaries.push(this.#added);
    this.pump();
    return await this.#upTo(this.#added);
  }

  /** Nothing more is appended, except what is under way already; who waits is told why. */
  stop(why: DiscoError = new DiscoError("the engine is closed", { code: "closed" })): void {
    this.#fail(why);
  }

  #upTo(upTo: number): Promise<Head> {
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => this.#waiters.push({ upTo, resolve, reject }));
  }

  async #run(): Promise<void> {
    try {
      while (this.#entries.length > 0 && this.#error === null) {
        const wait = this.#parts.clearance?.() ?? null;
        if (wait === null) {
          this.#appending = true;
          await this.#commit(this.#next());
          this.#appending = false;
        } else {
          // Not asked for now: by what is known it would not take anything.
          this.#awaySince ??= this.#parts.now();
          await wait;
          this.#awaySince = null;
        }
      }
    } catch (cause) {
      if (this.#error !== null) return;
      const error =
        cause instanceof DiscoError ? cause : new DiscoError("the journal failed", { code: "journal-error", cause });
      this.#fail(error);
      this.#parts.failed(error);
    }
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    const { journal, writer, epoch, carryOut, appended } = this.#parts;
    const { seq, hash } = this.#head;
    const nonce = this.#parts.nonce();
    const body = encodeRecordOf(
      { seq: seq + 1, prevHash: hash, epoch, writer, nonce },
      entries.map(({ text }) => text),
    );
    const outcome = await appendSurely(
      journal,
      { after: seq, body, writer, nonce },
      {
        signal: this.#over.signal,
        pause: this.#parts.pause ?? ((ms) => after(ms, undefined, { ref: false })),
        away: (isAway) => {
          this.#awaySince = isAway ? (this.#awaySince ?? this.#parts.now()) : null;
        },
      },
    );
    if (this.#error !== null) return;
    if (outcome.kind === "taken") throw deposed(seq + 1);
    this.#head = { seq: outcome.seq, hash: outcome.hash };
    appended(this.#head, entries.length, body.length);
    const commands = entries.flatMap((entry) => entry.commands);
    if (commands.length > 0) carryOut(commands);
    this.#done += entries.length;
    this.#tell();
  }

  /** Takes what the next record holds off the queue. */
  #next(): Entry[] {
    while ((this.#boundaries[0] ?? Number.POSITIVE_INFINITY) <= this.#done) this.#boundaries.shift();
    const most = Math.min(recordEventsMax, (this.#boundaries[0] ?? Number.POSITIVE_INFINITY) - this.#done);
    let room = this.#parts.journal.caps.recordBytesMax - frameBytes;
    let count = 0;
    for (const { bytes } of this.#entries) {
      room -= bytes + 1;
      if (count === most || (count > 0 && room < 0)) break;
      count++;
    }
    return this.#entries.splice(0, count);
  }

  #tell(): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ upTo }) => upTo > this.#done);
    for (const { upTo, resolve } of waiters) if (upTo <= this.#done) resolve(this.#head);
  }

  #fail(error: DiscoError): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#over.abort();
    this.#entries = [];
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
  }
}

export function deposed(seq: number): DiscoError {
  return new DiscoError(`another master leads: it wrote record ${seq} of the journal`, { code: "deposed" });
}
