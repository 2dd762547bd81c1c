/**
 * A journal in this process, on a synchronous store (memory, SQLite). It offers each method of the contract in a
 * synchronous form too: the embedded engine commits within one turn of the event loop.
 */
import { DiscoError } from "../errors.ts";
import type { Appended, Caps, Head, Journal, StoredRecord, StoredSnapshot } from "./journal.ts";
import { Chain, hashOf } from "./record.ts";

/** Where records lie. Errors are DiscoErrors. */
export interface Store {
  readonly caps: Caps;
  head(): Head;
  /** Adds a record whose seq is free, or returns `false`. */
  insert(record: StoredRecord): boolean;
  /** In ascending order, whatever is there. */
  scan(from: number): Iterable<StoredRecord>;
  record(seq: number): StoredRecord | null;
  snapshot(): StoredSnapshot | null;
  /** Of which record the snapshot is, without reading it. */
  snapshotHead(): Head | null;
  setSnapshot(snapshot: StoredSnapshot): void;
  remove(below: number): void;
  close(): void;
}

export class LocalJournal implements Journal {
  readonly #store: Store;
  #head: Head;
  readonly #followers = new Set<() => void>();

  constructor(store: Store) {
    this.#store = store;
    this.#head = store.head();
  }

  get caps(): Caps {
    return this.#store.caps;
  }

  headSync(): Head {
    return this.#head;
  }

  /** Asks the store anew: an append that failed may have left its record there, or not. */
  refreshSync(): void {
    this.#head = this.#store.head();
  }

  /** @throws DiscoError `record-too-big`, and those of the store: `disk-full` … */
  appendSync(expect: number, body: Uint8Array): Exclude<Appended, { kind: "unknown" }> {
    if (body.length > this.caps.recordBytesMax) {
      throw new DiscoError(
        `a journal record has ${body.length} bytes, at most ${this.caps.recordBytesMax} are possible`,
        {
          code: "record-too-big",
        },
      );
    }
    if (expect !== this.#head.seq) return { kind: "conflict", ...this.#head };
    const head = { seq: expect + 1, hash: hashOf(body) };
    if (!this.#store.insert({ ...head, body })) {
      this.#head = this.#store.head();
      return { kind: "conflict", ...this.#head };
    }
    this.#head = head;
    for (const wake of this.#followers) wake();
    return { kind: "committed", ...head };
  }

  *readSync(from: number): Generator<StoredRecord> {
    for (const { stored } of this.readEventsSync(from)) yield stored;
  }

  /** As `readSync`, with the events of each record, which are read anyway to check it. */
  *readEventsSync<E>(from: number): Generator<{ stored: StoredRecord; events: readonly E[] }> {
    const end = this.#head.seq;
    const snapshot = this.#store.snapshotHead();
    const before = this.#store.record(from - 1);
    const hash =
      before?.hash ?? (snapshot !== null && snapshot.seq === from - 1 ? snapshot.hash : from === 1 ? "" : null);
    const chain = new Chain({ seq: from - 1, hash });
    let at = from;
    for (const record of this.#store.scan(from)) {
      if (record.seq > end) break;
      yield { stored: record, events: chain.check<E>(record).events };
      at = record.seq + 1;
    }
    if (at <= end) {
      throw new DiscoError(`record ${at} of the journal is missing, its head is ${end}`, { code: "journal-gap" });
    }
  }

  snapshotSync(): StoredSnapshot | null {
    const snapshot = this.#store.snapshot();
    if (snapshot === null) return null;
    const record = this.#store.record(snapshot.seq);
    if (record !== null && record.hash !== snapshot.hash) {
      throw new DiscoError(`the snapshot at ${snapshot.seq} is of another journal`, { code: "bad-snapshot" });
    }
    return snapshot;
  }

  saveSnapshotSync(at: Head, body: Uint8Array): void {
    if (this.#store.record(at.seq)?.hash !== at.hash) {
      throw new DiscoError(`there is no record ${at.seq} with hash ${at.hash} to take a snapshot of`, {
        code: "bad-snapshot",
      });
    }
    this.#store.setSnapshot({ ...at, body });
  }

  trimSync(below: number): void {
    const covered = this.#store.snapshotHead()?.seq ?? 0;
    if (below > covered + 1) {
      throw new DiscoError(`records below ${below} cannot be trimmed: the snapshot covers those up to ${covered}`, {
        code: "bad-trim",
      });
    }
    this.#store.remove(below);
  }

  closeSync(): void {
    this.#store.close();
  }

  async head(): Promise<Head> {
    return this.headSync();
  }

  async append(expect: number, body: Uint8Array): Promise<Appended> {
    return this.appendSync(expect, body);
  }

  async *read(from: number): AsyncGenerator<StoredRecord> {
    yield* this.readSync(from);
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    let next = from;
    while (!signal.aborted) {
      for (const record of this.readSync(next)) {
        yield record;
        next = record.seq + 1;
        if (signal.aborted) return;
      }
      if (this.#head.seq < next) await this.#appended(signal);
    }
  }

  async saveSnapshot(at: Head, body: Uint8Array): Promise<void> {
    this.saveSnapshotSync(at, body);
  }

  async snapshot(): Promise<StoredSnapshot | null> {
    return this.snapshotSync();
  }

  async trim(below: number): Promise<void> {
    this.trimSync(below);
  }

  async close(): Promise<void> {
    this.closeSync();
  }

  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#followers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#followers.add(wake);
      signal.addEventListener("abort", wake);
      if (signal.aborted) wake();
    });
  }
}
