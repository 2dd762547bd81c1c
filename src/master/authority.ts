/**
 * What a coordinator knows, how sure that is, and whether it decides at present: it may follow another master, its journal may have
 * failed, for a while or for good, and the engine of the journal may be away.
 */
import { setTimeout as after } from "node:timers/promises";
import type { Alarm } from "../client/master-api.ts";
import type { MasterMachine } from "../core/master.ts";
import { DiscoError } from "../errors.ts";
import type { Ledger } from "../journal/ledger.ts";
import type { CoordinatorParts } from "./coordinator-parts.ts";
import type { Follower } from "./follower.ts";
import { engineAway, notLeading } from "./stopped.ts";

/** A question is not answered by what an engine that is away may never take; so long it is waited for it. */
const assurancePatienceMs = 5_000;
/** Nothing new is begun when the engine has been away for so long. */
const awayPatienceMs = 2_000;
const lookMs = 250;

export abstract class Authority {
  protected readonly parts: CoordinatorParts;
  protected abstract ledger: Ledger;
  /** As long as another master leads. */
  protected follower: Follower | null;
  /** Why the journal takes nothing at present. */
  protected failure: DiscoError | null = null;
  protected broken: DiscoError | null = null;
  protected closed = false;
  /** `listVersion` of machines before the present one, and what was counted then. */
  #listVersionBefore = 0;
  #countsBefore = { journalAppends: 0, journalBytes: 0 };

  constructor(parts: CoordinatorParts, follower: Follower | null) {
    this.parts = parts;
    this.follower = follower;
  }

  get leads(): boolean {
    return this.follower === null;
  }

  /** It has failed or was closed. */
  get ended(): boolean {
    return this.closed || this.broken !== null;
  }

  /** Of the last record that it knows; of one that leads: of the last that is committed. */
  get seq(): number {
    return this.ledger.head.seq;
  }

  /** When it knew all that was in the journal (ms since 1970): what it answers is as old. */
  get foldedAt(): number {
    return this.follower?.levelAt ?? this.parts.now();
  }

  /** Since when the engine of the journal does not answer (ms since 1970); `null`: it does. */
  get awaySince(): number | null {
    return this.ledger.awaySince;
  }

  /** Resolves when everything that was recorded so far is in the journal. @throws DiscoError why it will not be */
  committed(): Promise<void> {
    return this.ledger.committed();
  }

  /** As `committed`, for who asks a question. @throws DiscoError `engine-away` when it takes seconds */
  async assured(): Promise<void> {
    if (this.ledger.backlog === 0) return;
    const over = new AbortController();
    const late = after(assurancePatienceMs, undefined, { signal: over.signal }).then(() => {
      throw engineAway(this.parts.now() - (this.awaySince ?? this.parts.now()));
    });
    try {
      await Promise.race([this.committed(), late]);
    } finally {
      late.catch(() => undefined);
      over.abort();
    }
  }

  /**
   * What goes on by itself, for who waits for it. @throws DiscoError `engine-away` when the engine is away for seconds meanwhile; what it
   * becomes then is not known
   */
  async unlessAway<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setInterval(() => {
      const awayMs = this.awaySince === null ? 0 : this.parts.now() - this.awaySince;
      if (awayMs > assurancePatienceMs) reject(engineAway(awayMs));
    }, lookMs);
    timer.unref();
    work.catch(() => undefined);
    try {
      return await Promise.race([work, promise]);
    } finally {
      clearInterval(timer);
    }
  }

  /** Ends it, if the journal has records of another master by now. */
  async confirm(): Promise<void> {
    // An engine that does not answer says nothing about it.
    await this.ledger.confirm().catch(() => undefined);
  }

  get machine(): MasterMachine {
    return this.ledger.machine;
  }

  /** Rises whenever a job begins, ends or is forgotten. */
  get jobListVersion(): number {
    return this.#listVersionBefore + this.machine.listVersion;
  }

  /** Records appended since the start, and their bytes. */
  get journalCounts(): { journalAppends: number; journalBytes: number } {
    const { journalAppends, journalBytes } = this.#countsBefore;
    const { appends, appendedBytes } = this.ledger;
    return { journalAppends: journalAppends + appends, journalBytes: journalBytes + appendedBytes };
  }

  /** It takes and starts nothing, as there is no room. */
  get readOnly(): boolean {
    return this.failure !== null || this.parts.room?.low === true;
  }

  /** The journal failed: what happens cannot be taken in until `resume`. */
  get behind(): boolean {
    return this.failure !== null;
  }

  /** Why the journal takes nothing; `null` when it does. */
  get journalAlarm(): Alarm | null {
    if (this.failure === null) return null;
    const { message, hint = "" } = this.failure;
    return { code: "journal-failed", message, hint, since: this.parts.now() };
  }

  /** Throws if the engine cannot decide any more, and never will. */
  assertAlive(): void {
    if (this.broken !== null) throw this.broken;
    if (this.closed) throw new DiscoError("the engine is closed", { code: "closed" });
  }

  /** Throws `read-only` where there is no room for something new. */
  assertRoom(): void {
    this.assertAlive();
    const { room, now } = this.parts;
    this.assertDecides();
    const { awaySince } = this;
    if (awaySince !== null && now() - awaySince > awayPatienceMs) throw engineAway(now() - awaySince);
    room?.look();
    if (room?.low === true) throw room.refusal();
  }

  protected get decides(): boolean {
    return !this.ended && this.failure === null && this.follower === null;
  }

  protected assertDecides(): void {
    this.assertAlive();
    if (this.follower !== null) throw notLeading(this.parts.leader?.() ?? null);
    if (this.failure !== null) throw this.failure;
  }

  protected useInstead(ledger: Ledger): void {
    this.#listVersionBefore += this.machine.listVersion + 1;
    this.#countsBefore = this.journalCounts;
    this.ledger = ledger;
  }
}
