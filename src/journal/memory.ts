/** A journal that lasts as long as the process: for engines that leave nothing behind, tests and the simulator. */
import type { Head, StoredRecord, StoredSnapshot } from "./journal.ts";
import type { Store } from "./local.ts";
import { LocalJournal } from "./local.ts";

const recordBytesMax = 256 * 2 ** 20;

export function openMemoryJournal(store: MemoryStore = new MemoryStore()): LocalJournal {
  return new LocalJournal(store);
}

/** What a memory journal holds. Kept apart, so that a test can open the same records again, as after a crash. */
export class MemoryStore implements Store {
  readonly caps = { engine: "memory", durable: "memory", replicas: 1, recordBytesMax } as const;
  /** Records from `#first` on, without a hole. */
  #records: StoredRecord[] = [];
  #first = 1;
  #snapshot: StoredSnapshot | null = null;

  head(): Head {
    const last = this.#records.at(-1) ?? this.#snapshot;
    return last == null ? { seq: 0, hash: "" } : { seq: last.seq, hash: last.hash };
  }

  insert(record: StoredRecord): boolean {
    if (record.seq !== this.head().seq + 1) return false;
    if (this.#records.length === 0) this.#first = record.seq;
    this.#records.push({ ...record, body: record.body.slice() });
    return true;
  }

  *scan(from: number): Generator<StoredRecord> {
    for (let seq = Math.max(from, this.#first); seq - this.#first < this.#records.length; seq++) {
      yield this.#records[seq - this.#first] as StoredRecord;
    }
  }

  record(seq: number): StoredRecord | null {
    return this.#records[seq - this.#first] ?? null;
  }

  snapshot(): StoredSnapshot | null {
    return this.#snapshot;
  }

  snapshotHead(): Head | null {
    return this.#snapshot;
  }

  setSnapshot(snapshot: StoredSnapshot): void {
    this.#snapshot = { ...snapshot, body: snapshot.body.slice() };
  }

  remove(below: number): void {
    const kept = this.#records.filter(({ seq }) => seq >= below);
    this.#first = kept[0]?.seq ?? below;
    this.#records = kept;
  }

  close(): void {}
}
