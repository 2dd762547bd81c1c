/** Reading a journal: its snapshot and the records after it, folded into a machine. */
import type { Command } from "../core/commands.ts";
import type { MasterEvent } from "../core/events.ts";
import type { MasterOptions } from "../core/master.ts";
import { MasterMachine } from "../core/master.ts";
import type { MasterSnapshot } from "../core/snapshot.ts";
import { restoreMaster } from "../core/snapshot.ts";
import { DiscoError } from "../errors.ts";
import { replayCost } from "./compaction.ts";
import type { Head, Journal, StoredRecord, StoredSnapshot } from "./journal.ts";
import type { LocalJournal } from "./local.ts";
import { Chain, corrupt, decodeSnapshot } from "./record.ts";

export interface FoldParts {
  readonly options?: MasterOptions;
  /** Told each command of the events that are replayed: a crash may have come before it was carried out. */
  readonly replayed?: (command: Command) => void;
  /** Told each event that is replayed, when the machine knows it. */
  readonly folded?: (event: MasterEvent) => void;
}

/** What a journal comes to. */
export class Fold {
  readonly machine: MasterMachine;
  /** The one that it began with. */
  readonly snapshot: { readonly seq: number; readonly bytes: number };
  readonly #parts: FoldParts;
  head: Head;
  /** What was folded after the snapshot, in records (`replayCost`). */
  cost = 0;

  private constructor(parts: FoldParts, snapshot: StoredSnapshot | null) {
    this.#parts = parts;
    this.snapshot = { seq: snapshot?.seq ?? 0, bytes: snapshot?.body.length ?? 0 };
    this.head = { seq: snapshot?.seq ?? 0, hash: snapshot?.hash ?? "" };
    this.machine =
      snapshot === null
        ? new MasterMachine(parts.options)
        : restoreMaster(decodeSnapshot<MasterSnapshot>(snapshot), parts.options);
  }

  static readSync(journal: LocalJournal, parts: FoldParts): Fold {
    journal.refreshSync();
    const fold = new Fold(parts, journal.snapshotSync());
    for (const { stored, events } of journal.readEventsSync<MasterEvent>(fold.head.seq + 1)) fold.take(stored, events);
    return fold;
  }

  /** As `readSync`, of any journal. Whoever leads may trim it meanwhile: then its newer snapshot is read. */
  static async read(journal: Journal, parts: FoldParts): Promise<Fold> {
    for (let last = -1; ; ) {
      const fold = new Fold(parts, await journal.snapshot());
      try {
        await fold.catchUp(journal);
        return fold;
      } catch (error) {
        if (!isGap(error) || fold.head.seq <= last) throw error;
        last = fold.head.seq;
      }
    }
  }

  /** Folds what the journal has and this does not. */
  async catchUp(journal: Journal): Promise<void> {
    for await (const stored of journal.read(this.head.seq + 1)) this.add(stored);
  }

  /** Folds the next record; one that is in already is passed over. @throws DiscoError `journal-gap`, `journal-corrupt` */
  add(stored: StoredRecord): void {
    if (stored.seq <= this.head.seq) return;
    this.take(stored, new Chain(this.head).check<MasterEvent>(stored).events);
  }

  /** As `add`, of a record that was checked. */
  take({ seq, hash }: Head, events: readonly MasterEvent[]): void {
    for (const event of events) this.#replay(event, seq);
    this.head = { seq, hash };
    this.cost += replayCost(events.length);
  }

  #replay(event: MasterEvent, seq: number): void {
    const { replayed, folded } = this.#parts;
    let commands: Command[];
    try {
      commands = this.machine.handle(event);
    } catch (cause) {
      throw corrupt(seq, `event ${event.kind} cannot follow those before it`, cause);
    }
    folded?.(event);
    if (replayed !== undefined) for (const command of commands) replayed(command);
  }
}

/** Records are missing: trimmed, or lost. */
export function isGap(error: unknown): boolean {
  return error instanceof DiscoError && error.code === "journal-gap";
}
