/**
 * What a coordinator is before it leads: state and job logs that follow the journal of a master that does.
 *
 * FO1. The logs get the lines of each record when it is folded, numbered, so that none is there twice, and none is missing.
 * FO2. Files of jobs are the leader's to delete; only what this master has itself, its logs and packs, goes with a purged job.
 * FO3. The last ends of jobs are remembered: the leader may have died before it had done what they ask for.
 */
import type { Command } from "../core/commands.ts";
import type { Clearance } from "../journal/commit-queue.ts";
import type { StoredRecord } from "../journal/journal.ts";
import { Ledger } from "../journal/ledger.ts";
import type { LedgerParts } from "../journal/ledger-parts.ts";
import type { CoordinatorParts } from "./coordinator-parts.ts";
import { FedLines } from "./fed-lines.ts";
import { Following } from "./following.ts";
import { Replayed } from "./replayed.ts";
import { logLine } from "./task-lines.ts";

/** What the ledger needs when it leads. */
export type LedgerHooks = Pick<LedgerParts, "carryOut" | "failed" | "mayAssign" | "settled">;

export interface FollowerHooks {
  /** The state was read anew. */
  readonly reloaded: (ledger: Ledger) => void;
  /** It cannot follow any further. */
  readonly failed: (error: unknown) => void;
}

/** What a record brought: commands, and jobs that began. */
interface News {
  readonly commands: Command[];
  readonly begun: string[];
}

export class Follower {
  readonly #parts: CoordinatorParts;
  readonly #ledgerHooks: LedgerHooks;
  readonly #lines: FedLines;
  readonly #following: Following;
  #hooks: FollowerHooks | null = null;
  #ledger: Ledger;
  #replayed: Replayed;
  /** Of the record that is being folded. */
  readonly #news: News;

  private constructor(
    parts: CoordinatorParts,
    ledgerHooks: LedgerHooks,
    news: News,
    [ledger, replayed]: [Ledger, Replayed],
  ) {
    this.#parts = parts;
    this.#news = news;
    this.#ledgerHooks = ledgerHooks;
    this.#ledger = ledger;
    this.#replayed = replayed;
    const { journal, lines, now, logs } = parts;
    this.#lines = new FedLines({
      logs,
      knows: (job) => this.#ledger.machine.knows(job),
      isActive: (job) => this.#ledger.machine.jobs.has(job),
    });
    this.#following = new Following({
      journal,
      lines,
      now,
      seq: () => this.#ledger.head.seq,
      fold: (stored) => this.#fold(stored),
      take: (line) => this.#lines.take(line),
      reload: () => this.#reload(),
      failed: (error) => this.#hooks?.failed(error),
    });
  }

  /** @throws DiscoError what `Ledger.load` throws */
  static async load(parts: CoordinatorParts, ledgerHooks: LedgerHooks): Promise<Follower> {
    const news: News = { commands: [], begun: [] };
    const follower = new Follower(parts, ledgerHooks, news, await load(parts, ledgerHooks, news));
    follower.#level();
    return follower;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /** When all that was in the journal was folded (ms since 1970). */
  get levelAt(): number {
    return this.#following.levelAt;
  }

  start(hooks: FollowerHooks): void {
    this.#hooks = hooks;
    this.#following.start();
  }

  stop(): void {
    this.#following.stop();
  }

  /** Takes over; returns what is left to do of what was replayed. `null`: another master was faster. @throws what `Ledger.lead` throws */
  async lead(clearance: Clearance | undefined, signal: AbortSignal | undefined): Promise<Replayed | null> {
    const ledger = this.#ledger;
    const leads = await ledger.lead(clearance, signal);
    if (leads && ledger !== this.#ledger) {
      ledger.leave();
      return null;
    }
    this.#finish();
    if (!leads) return null;
    this.stop();
    return this.#replayed;
  }

  #fold(stored: StoredRecord): void {
    this.#ledger.fold(stored);
    this.#finish();
  }

  /** Has logs, and who waits, know of what was folded. */
  #finish(): void {
    const { logs, signals } = this.#parts;
    const { jobs } = this.#ledger.machine;
    const commands = this.#news.commands.splice(0);
    const begun = this.#news.begun.splice(0);
    for (const job of begun) {
      if (jobs.has(job)) logs.begin(job);
      this.#lines.began(job);
    }
    for (const command of commands) this.#replayed.take(command);
    this.#replayed.writeLines(
      (line) => logLine(logs, line),
      (job) => jobs.has(job),
    );
    this.#replayed.forgetOldEnds();
    for (const command of commands) {
      if (command.kind === "log") signals.changed(command.job);
      if (command.kind === "job-ended") {
        logs.end(command.job);
        signals.ended(command.job);
      }
      if (command.kind === "forget-job") this.#forget(command.job);
    }
  }

  #forget(job: string): void {
    this.#lines.forget(job);
    this.#parts.signals.ended(job);
    // What cannot be deleted is in nobody's way.
    void this.#parts.logs.forget(job).catch(() => undefined);
  }

  async #reload(): Promise<void> {
    const before = [...this.#ledger.machine.jobs.keys()];
    [this.#ledger, this.#replayed] = await load(this.#parts, this.#ledgerHooks, this.#news);
    this.#hooks?.reloaded(this.#ledger);
    this.#level();
    for (const job of before) {
      if (this.#ledger.machine.jobs.has(job)) continue;
      this.#parts.logs.end(job);
      this.#parts.signals.ended(job);
    }
  }

  /** After the state was read: logs of active jobs are open, and have what they lacked. */
  #level(): void {
    for (const job of this.#ledger.machine.jobs.keys()) this.#parts.logs.begin(job);
    this.#finish();
    for (const ending of this.#replayed.ends()) if (ending.kind === "forget-job") this.#forget(ending.job);
  }
}

async function load(parts: CoordinatorParts, hooks: LedgerHooks, news: News): Promise<[Ledger, Replayed]> {
  const { journal, writer, now, logs, options } = parts;
  const replayed = new Replayed(logs);
  let loading = true;
  const ledger = await Ledger.load({
    journal,
    writer,
    now,
    ...(options === undefined ? {} : { options }),
    ...hooks,
    replayed: (command) => {
      if (loading) replayed.take(command);
      else news.commands.push(command);
    },
    folded: (event) => {
      if (!loading && event.kind === "job-submitted") news.begun.push(event.job);
    },
  });
  loading = false;
  return [ledger, replayed];
}
