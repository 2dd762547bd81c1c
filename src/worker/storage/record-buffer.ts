/**
 * Records that wait to be written, with an estimate of the memory they take. The estimate depends on the records alone, never
 * on the heap: where blocks and runs end must be the same in every attempt.
 */
import { recordOverheadBytes, snapshot, snapshotBytes } from "../../protocol/value-snapshot.ts";

export class RecordBuffer {
  keys: unknown[] = [];
  values: unknown[] = [];
  /** Estimated bytes of memory. */
  bytes = 0;

  /** Adds a record and returns its estimated bytes. @throws DiscoError `bad-value` naming `key` or `value`. */
  add(key: unknown, value: unknown): number {
    let bytes = recordOverheadBytes;
    if (typeof key === "string") {
      bytes += key.length;
      this.keys.push(key);
    } else if (typeof key === "number") {
      this.keys.push(key);
    } else {
      const copy = snapshot(key, "key");
      bytes += snapshotBytes();
      this.keys.push(copy);
    }
    if (typeof value === "string") {
      bytes += value.length;
      this.values.push(value);
    } else if (typeof value === "number") {
      this.values.push(value);
    } else {
      this.#addValue(value);
      bytes += snapshotBytes();
    }
    this.bytes += bytes;
    return bytes;
  }

  #addValue(value: unknown): void {
    let copy: unknown;
    try {
      copy = snapshot(value, "value");
    } catch (error) {
      this.keys.pop();
      throw error;
    }
    this.values.push(copy);
  }

  clear(): void {
    this.keys = [];
    this.values = [];
    this.bytes = 0;
  }
}
