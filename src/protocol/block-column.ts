/**
 * One column of records that wait to be written: all their keys, or all their values. Its kind is that of the first item:
 *
 *   strings   a dictionary, as long as they repeat; else marks, and the strings are in the records' text
 *   numbers   doubles
 *   the rest  copies, in an array
 *
 * An item of another kind is refused: the owner then writes the records so far, clears the column, and adds the item again. The
 * column remembers why, so that this happens once or twice an attempt, not at each change. All of it depends on the items alone.
 */
import { Dictionary, dictionaryEntryBytes, dictionaryStringsMax, dictionaryUnitsMax } from "./block-dictionary.ts";
import { free, grownFloat64, grownUint32, markBytes, type TextBuffer } from "./block-text.ts";
import { decodeValue, encodeValue } from "./value.ts";
import { snapshot, snapshotBytes } from "./value-snapshot.ts";

export type ColumnKind = "open" | "text" | "dictionary" | "numbers" | "values";

/** After so many records a dictionary must have paid: at most every second string was new. */
export const dictionaryTrialRecords = 16_384;
/** Fewer records than these say nothing about a dictionary. */
const dictionaryJudgedRecords = 1_024;
/** Estimated bytes of memory of an item in an array, besides what it refers to. */
const valueBytes = 24;

export class Column {
  kind: ColumnKind = "open";
  /** Text: marks. Dictionary: ids. */
  slots: Uint32Array = new Uint32Array(0);
  numbers: Float64Array = new Float64Array(0);
  items: unknown[] = [];
  dictionary: Dictionary | null = null;
  /** All numbers are int32, and not -0; then `low` and `high` enclose them and 0. */
  isInteger = true;
  low = 0;
  high = 0;
  /** `key` or `value`, for messages. */
  readonly name: string;
  /** 0 for keys, 1 for values. */
  readonly #side: number;
  /** What items were refused: no dictionary any more, or nothing but an array. */
  #isPlain = false;
  #isMixed = false;
  #copyBytes = 0;

  constructor(name: string, side: number) {
    this.name = name;
    this.#side = side;
  }

  /** Whether the item may be added; the first one decides on the kind. */
  admits(item: unknown, count: number): boolean {
    switch (this.kind) {
      case "text":
        return typeof item === "string" || this.#mix();
      case "dictionary":
        return typeof item === "string" ? this.#fitsDictionary(item, count) : this.#mix();
      case "numbers":
        return typeof item === "number" || this.#mix();
      case "values":
        return true;
      default:
        this.#begin(item);
        return true;
    }
  }

  /** Whether strings would be added as text, whatever they are. */
  get isPlainText(): boolean {
    return this.kind === "text" || (this.kind === "open" && this.#isPlain && !this.#isMixed);
  }

  /** Adds so many marks of narrow strings from `from` on, behind the first `i` items; a column of plain text only. */
  putMarks(i: number, marks: Uint32Array, from: number, to: number): void {
    this.kind = "text";
    while (i + to - from > this.slots.length) this.slots = grownUint32(this.slots);
    this.slots.set(marks.subarray(from, to), i);
  }

  /** What will be added: a copy, where it is an object. @throws DiscoError `bad-value`. */
  copy(item: unknown): unknown {
    if (this.kind !== "values") return item;
    const copied = snapshot(item, this.name);
    this.#copyBytes = snapshotBytes();
    return copied;
  }

  /** Adds item number `i`, admitted and copied; returns its estimated bytes of memory. */
  put(i: number, item: unknown, hash: number, text: TextBuffer): number {
    switch (this.kind) {
      case "text":
        return 4 + this.#putText(i, item as string, text);
      case "dictionary": {
        if (i === this.slots.length) this.slots = grownUint32(this.slots);
        const dictionary = this.dictionary as Dictionary;
        const { size } = dictionary;
        const id = dictionary.idOf(item as string, hash);
        this.slots[i] = id;
        return id < size ? 4 : 4 + dictionaryEntryBytes + markBytes(dictionary.marks[id] as number);
      }
      case "numbers":
        this.#putNumber(i, item as number);
        return 8;
      default:
        this.items.push(item);
        return valueBytes + this.#copyBytes;
    }
  }

  /** Whether so many strings, of which each that was new is in the dictionary, need none. */
  get hasIdleDictionary(): boolean {
    return this.kind === "dictionary" && (this.dictionary as Dictionary).size * 2 > dictionaryTrialRecords;
  }

  /** From now on strings are text. The ids of the records so far are replaced by their marks. */
  unfold(count: number): void {
    const { marks } = this.dictionary as Dictionary;
    for (let i = 0; i < count; i++) this.slots[i] = marks[this.slots[i] as number] as number;
    this.kind = "text";
    this.#isPlain = true;
  }

  /** Once it is cleared, it has no dictionary any more. */
  makePlain(): void {
    this.#isPlain = true;
  }

  /** Bytes of item `i` in the records' text. */
  textBytes(i: number): number {
    return this.kind === "text" ? markBytes(this.slots[i] as number) : 0;
  }

  /** Items become copies that refer to nothing else. */
  detach(): void {
    this.items = this.items.map((item) => decodeValue(encodeValue(item)));
  }

  /** Forgets `count` items. A dictionary of many of which most strings were new is the last. */
  clear(count: number): void {
    if (this.kind === "dictionary" && count >= dictionaryJudgedRecords) {
      if ((this.dictionary as Dictionary).size * 2 > count) this.#isPlain = true;
    }
    this.kind = "open";
    this.items = [];
    this.dictionary?.clear();
    this.isInteger = true;
    this.low = 0;
    this.high = 0;
  }

  release(): void {
    this.clear(0);
    this.dictionary?.release();
    this.dictionary = null;
    free(this.slots);
    free(this.numbers);
    this.slots = new Uint32Array(0);
    this.numbers = new Float64Array(0);
  }

  #begin(item: unknown): void {
    if (this.#isMixed) this.kind = "values";
    else if (typeof item === "number") this.kind = "numbers";
    else if (typeof item !== "string") this.kind = "values";
    else if (this.#isPlain || item.length > dictionaryUnitsMax) this.kind = "text";
    else {
      this.kind = "dictionary";
      this.dictionary ??= new Dictionary();
    }
  }

  #mix(): false {
    this.#isMixed = true;
    return false;
  }

  #fitsDictionary(item: string, count: number): boolean {
    const { size } = this.dictionary as Dictionary;
    if (item.length > dictionaryUnitsMax) this.#isPlain = true;
    else if (size < dictionaryStringsMax) return true;
    // One that is full has still paid where each string came four times.
    else if (size * 4 > count) this.#isPlain = true;
    return false;
  }

  #putText(i: number, item: string, text: TextBuffer): number {
    if (i === this.slots.length) this.slots = grownUint32(this.slots);
    const mark = text.append(item, i * 2 + this.#side);
    this.slots[i] = mark;
    return markBytes(mark);
  }

  #putNumber(i: number, item: number): void {
    if (i === this.numbers.length) this.numbers = grownFloat64(this.numbers);
    this.numbers[i] = item;
    const int = item | 0;
    if (int !== item || (int === 0 && Object.is(item, -0))) this.isInteger = false;
    else if (int < this.low) this.low = int;
    else if (int > this.high) this.high = int;
  }
}
