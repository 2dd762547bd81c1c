/**
 * Records that wait to be written, of all labels together, as columns: so nothing of a record is an object that the garbage
 * collector must trace, the estimate of their memory is close to the truth, and to write them is to copy bytes.
 *
 *   labels   uint32 a record
 *   keys, values   a `Column` each
 *   text     the strings of both that are in no dictionary, record by record, the key's first
 *
 *   BR1  What `add` answers, and `bytes`, depend on the records alone and on the order they came in, never on the heap, the
 *        clock, or when `detach` was called: where blocks and runs end must be the same in every attempt of a task.
 */
import { Column, dictionaryTrialRecords } from "./block-column.ts";
import { type Dictionary, dictionaryEntryBytes } from "./block-dictionary.ts";
import { free, grownUint32, markBytes, TextBuffer } from "./block-text.ts";
import { unknownHash } from "./hash.ts";
import type { TextRecords } from "./text-records.ts";

/** Staged strings are written each time so many records have come, or so much text: their marks are known from then on. */
const settleRecords = 256;
const settleUnits = 64 * 1024;

export class RecordColumns {
  count = 0;
  /** Estimated bytes of memory. */
  bytes = 0;
  /** The same of the record that was added last. */
  lastBytes = 0;
  labels: Uint32Array = new Uint32Array(0);
  readonly keys = new Column("key", 0);
  readonly values = new Column("value", 1);
  text: TextBuffer;
  readonly #recordBytes: number;
  readonly #budgetBytes: number;
  #wideBytes = 0;
  #nextSettled = settleRecords;

  /**
   * `recordBytes`: what the owner's own arrays take a record. `budgetBytes`: about where the owner will clear; both are 0 for
   * small things.
   */
  constructor(recordBytes = 0, budgetBytes = 0) {
    this.#recordBytes = recordBytes + 4;
    this.#budgetBytes = budgetBytes;
    this.text = new TextBuffer(budgetBytes);
  }

  /**
   * Adds a record; `hash` as for `PairWriter`. `false`, and nothing added: it does not go with the records so far; after
   * `clear` it will. @throws DiscoError `bad-value` naming `key` or `value`.
   */
  add(label: number, key: unknown, value: unknown, hash: number): boolean {
    const { keys, values, count } = this;
    if (!keys.admits(key, count) && !this.#unfoldEarly(keys, key)) return false;
    if (!values.admits(value, count) && !this.#unfoldEarly(values, value)) return false;
    const ownKey = keys.copy(key);
    const ownValue = values.copy(value);
    if (count === this.labels.length) this.labels = grownUint32(this.labels);
    this.labels[count] = label;
    const { text } = this;
    const bytes = keys.put(count, ownKey, hash, text) + values.put(count, ownValue, unknownHash, text);
    this.lastBytes = this.#recordBytes + bytes;
    this.bytes += this.lastBytes;
    this.count = count + 1;
    if (this.count === this.#nextSettled || text.stagedUnits >= settleUnits) this.#settle();
    return true;
  }

  /**
   * Adds records from number `from` on as bytes, until `bytes` reaches `bytesMax`, and returns how many it took. None where columns
   * are no plain text, or of a record above `recordBytesMax`: those are for `add`.
   */
  addTexts(label: number, texts: TextRecords, from: number, bytesMax: number, recordBytesMax: number): number {
    const { keys, values, count } = this;
    if (!keys.isPlainText || !values.isPlainText) return 0;
    this.#settle();
    let to = from;
    let length = 0;
    let { bytes } = this;
    for (; to < texts.count && (to === from || bytes < bytesMax); to++) {
      const recordBytes = this.#recordBytes + 8 + texts.length(to);
      if (recordBytes > recordBytesMax) break;
      bytes += recordBytes;
      length += texts.length(to);
      this.lastBytes = recordBytes;
    }
    const taken = to - from;
    while (count + taken > this.labels.length) this.labels = grownUint32(this.labels);
    this.labels.fill(label, count, count + taken);
    keys.putMarks(count, texts.keyMarks, from, to);
    values.putMarks(count, texts.valueMarks, from, to);
    const start = texts.start(from);
    this.text.copyFrom(texts.bytes, start, start + length);
    this.bytes = bytes;
    this.count = count + taken;
    this.#nextSettled = this.count + settleRecords - (this.count % settleRecords);
    return taken;
  }

  /** No dictionaries from now on. */
  makePlain(): void {
    this.keys.makePlain();
    this.values.makePlain();
  }

  /** All text is in `text.bytes` when this returns. */
  drain(): void {
    this.text.drain((place, units) => {
      const column = (place & 1) === 0 ? this.keys : this.values;
      const i = place >>> 1;
      column.slots[i] = (column.slots[i] as number) + 1;
      this.#wideBytes += units;
    });
  }

  /** Lets go of strings and objects of others: a string may be a slice that keeps a large text alive. */
  detach(): void {
    this.drain();
    this.keys.detach();
    this.values.detach();
  }

  /** Where each record's text begins, and where the last one's ends. */
  textStarts(): Uint32Array {
    this.drain();
    const starts = new Uint32Array(this.count + 1);
    for (const { kind, slots } of [this.keys, this.values]) {
      if (kind !== "text") continue;
      for (let i = 0; i < this.count; i++) starts[i + 1] = (starts[i + 1] as number) + markBytes(slots[i] as number);
    }
    for (let i = 0; i < this.count; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number);
    return starts;
  }

  /** Forgets the records, and keeps the memory. */
  clear(): void {
    this.keys.clear(this.count);
    this.values.clear(this.count);
    this.count = 0;
    this.bytes = 0;
    this.#wideBytes = 0;
    this.#nextSettled = settleRecords;
    this.text.clear();
  }

  /** Gives the memory back. */
  release(): void {
    this.clear();
    this.keys.release();
    this.values.release();
    this.text.release();
    free(this.labels);
    this.labels = new Uint32Array(0);
  }

  /** What is done at fixed numbers of records or units, so that `bytes` does not depend on when `detach` was called. */
  #settle(): void {
    this.drain();
    this.text.settled();
    this.bytes += this.#wideBytes;
    this.#wideBytes = 0;
    this.#nextSettled = this.count + settleRecords - (this.count % settleRecords);
    if (this.count !== dictionaryTrialRecords) return;
    if (this.keys.hasIdleDictionary) this.#unfold(this.keys);
    if (this.values.hasIdleDictionary) this.#unfold(this.values);
  }

  /** A string that is too long for a dictionary ends it, in its trial without ado. */
  #unfoldEarly(column: Column, item: unknown): boolean {
    if (column.kind !== "dictionary" || typeof item !== "string" || this.count > dictionaryTrialRecords) return false;
    this.#unfold(column);
    return true;
  }

  /** The strings of a column's dictionary become text. */
  #unfold(column: Column): void {
    const { keys, values, count } = this;
    const dictionary = column.dictionary as Dictionary;
    this.drain();
    const { bytes } = this.text;
    const unfolded = new TextBuffer(this.#budgetBytes);
    let from = 0;
    for (let i = 0; i < count; i++) {
      for (const side of [keys, values]) {
        if (side === column) {
          const id = column.slots[i] as number;
          const start = dictionary.starts[id] as number;
          unfolded.copyFrom(dictionary.text.bytes, start, start + markBytes(dictionary.marks[id] as number));
          this.bytes += markBytes(dictionary.marks[id] as number);
        } else {
          const length = side.textBytes(i);
          unfolded.copyFrom(bytes, from, from + length);
          from += length;
        }
      }
    }
    unfolded.hasWide = this.text.hasWide || dictionary.text.hasWide;
    this.bytes -= dictionary.text.length + dictionary.size * dictionaryEntryBytes;
    column.unfold(count);
    this.text.release();
    this.text = unfolded;
  }
}
