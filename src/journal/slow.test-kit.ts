/** A journal that answers when it is told to, for tests: late, not at all, or with an outcome that nobody knows. */
import { CommError } from "../errors.ts";
import type { Appended, Caps, Head, Journal, StoredRecord, StoredSnapshot } from "./journal.ts";
import { LocalJournal } from "./local.ts";
import type { MemoryStore } from "./memory.ts";

/** What becomes of an append: `lost` never arrives, `mute` is committed without an answer, `late` arrives after the next one began. */
export type Fate = "commits" | "lost" | "mute" | "late";

export class SlowJournal implements Journal {
  readonly #local: LocalJournal;
  /** Of the next appends, in order; afterwards all commit. */
  readonly fates: Fate[] = [];
  /** Resolves before each answer: tests delay by it. */
  pause: () => Promise<void> = () => Promise.resolve();
  /** The engine cannot be reached. */
  away = false;
  recordBytesMax: number;
  appends = 0;
  #late: (() => void)[] = [];

  constructor(store: MemoryStore, recordBytesMax = 2 ** 20) {
    this.#local = new LocalJournal(store);
    this.recordBytesMax = recordBytesMax;
  }

  get caps(): Caps {
    return { ...this.#local.caps, engine: "slow", recordBytesMax: this.recordBytesMax };
  }

  async append(expect: number, body: Uint8Array): Promise<Appended> {
    await this.pause();
    for (const act of this.#late.splice(0)) act();
    if (this.away) return { kind: "unknown", cause: new CommError("away") };
    this.appends++;
    const fate = this.fates.shift() ?? "commits";
    const act = (): Appended => {
      this.#local.refreshSync();
      return this.#local.appendSync(expect, body);
    };
    if (fate === "late") this.#late.push(act);
    const answer = fate === "commits" || fate === "mute" ? act() : null;
    await this.pause();
    return answer === null || fate === "mute" ? { kind: "unknown", cause: new CommError("no answer") } : answer;
  }

  async head(): Promise<Head> {
    await this.#reach();
    return this.#local.headSync();
  }

  async *read(from: number): AsyncGenerator<StoredRecord> {
    await this.#reach();
    yield* this.#local.readSync(from);
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    for (let next = from; !signal.aborted; ) {
      for await (const stored of this.read(next)) {
        yield stored;
        next = stored.seq + 1;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async saveSnapshot(at: Head, body: Uint8Array): Promise<void> {
    await this.#reach();
    this.#local.saveSnapshotSync(at, body);
  }

  async snapshot(): Promise<StoredSnapshot | null> {
    await this.#reach();
    return this.#local.snapshotSync();
  }

  async trim(below: number): Promise<void> {
    await this.#reach();
    this.#local.trimSync(below);
  }

  async close(): Promise<void> {}

  async #reach(): Promise<void> {
    await this.pause();
    if (this.away) throw new CommError("the engine is away");
    this.#local.refreshSync();
  }
}
