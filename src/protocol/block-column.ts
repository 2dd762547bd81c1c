/**
 * One column of a block: all keys, or all values, as bytes. The kind is chosen by a look at every item; the first that
 * fits is taken: a constant, small integers, float64, strings as one long string and lengths, and else the value codec.
 *
 *   kind u8 | length of what follows u32 | contents
 */
import { DiscoError } from "../errors.ts";
import { ValueWriter } from "./value.ts";

export const columnConstant = 0;
export const columnInt8 = 1;
export const columnInt16 = 2;
export const columnInt32 = 3;
export const columnFloat64 = 4;
/** Lengths in UTF-16 units, then all strings as one: a byte a unit. */
export const columnLatin1 = 5;
/** The same, as UTF-8: for long texts that are mostly ASCII, without lone surrogates. */
export const columnUtf8 = 6;
/** The same, as UTF-16LE. */
export const columnUtf16 = 7;
export const columnValues = 8;

/** Strings up to this length are copied unit by unit; a call into the runtime costs as much as so many units. */
const shortStringUnits = 48;

/** A growing buffer that columns are written to; one is reused for all blocks of a writer. */
export class ColumnWriter {
  length = 0;
  buffer: Buffer;
  readonly #values = new ValueWriter(1024);

  constructor(capacity = 64 * 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for so many bytes more. */
  ensure(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const buffer = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(buffer, 0, 0, this.length);
    this.buffer = buffer;
  }

  /** Appends the items from `from` up to `to` as one column. `name` is `key` or `value`, for messages. */
  write(items: readonly unknown[], from: number, to: number, name: string): void {
    this.ensure(16);
    const start = this.length;
    this.length = start + 5;
    // Writing may move the buffer: the kind is stored afterwards.
    const kind = this.#writeContents(items, from, to, name);
    this.buffer[start] = kind;
    this.buffer.writeUInt32LE(this.length - start - 5, start + 1);
  }

  #writeContents(items: readonly unknown[], from: number, to: number, name: string): number {
    if (from === to) return columnValues;
    const first = items[from];
    if (typeof first !== "object" && isConstant(items, from, to)) {
      this.#writeValues(items, from, from + 1, name);
      return columnConstant;
    }
    if (typeof first === "number") {
      const kind = numberColumn(items, from, to);
      if (kind !== columnValues) {
        this.#writeNumbers(kind, items, from, to);
        return kind;
      }
    } else if (typeof first === "string") {
      const kind = this.#writeStrings(items, from, to);
      if (kind !== columnValues) return kind;
    }
    this.#writeValues(items, from, to, name);
    return columnValues;
  }

  #writeValues(items: readonly unknown[], from: number, to: number, name: string): void {
    const values = this.#values;
    values.reset();
    for (let i = from; i < to; i++) values.write(items[i], name);
    this.ensure(values.length);
    values.bytes().copy(this.buffer, this.length);
    this.length += values.length;
    if (values.length > 4 * 1024 * 1024) values.release();
  }

  #writeNumbers(kind: number, items: readonly unknown[], from: number, to: number): void {
    const width = widths[kind] as number;
    this.ensure((to - from) * width);
    const { buffer } = this;
    let at = this.length;
    if (kind === columnInt8) {
      for (let i = from; i < to; i++) buffer[at++] = items[i] as number;
    } else if (kind === columnFloat64) {
      const view = new DataView(buffer.buffer, buffer.byteOffset);
      for (let i = from; i < to; i++, at += 8) view.setFloat64(at, items[i] as number, true);
    } else {
      const view = new DataView(buffer.buffer, buffer.byteOffset);
      if (kind === columnInt16) for (let i = from; i < to; i++, at += 2) view.setInt16(at, items[i] as number, true);
      else for (let i = from; i < to; i++, at += 4) view.setInt32(at, items[i] as number, true);
    }
    this.length = at;
  }

  /** Lengths and contents of a column of strings; `columnValues`, and nothing written, when one is no string. */
  #writeStrings(items: readonly unknown[], from: number, to: number): number {
    let units = 0;
    let longest = 0;
    for (let i = from; i < to; i++) {
      const item = items[i];
      if (typeof item !== "string") return columnValues;
      units += item.length;
      if (item.length > longest) longest = item.length;
    }
    if (units > stringUnitsMax) return columnValues;
    const width = longest < 0x100 ? 1 : longest < 0x10000 ? 2 : 4;
    this.ensure(1 + (to - from) * width);
    const { buffer } = this;
    let at = this.length;
    buffer[at++] = width;
    for (let i = from; i < to; i++) {
      const { length } = items[i] as string;
      buffer[at++] = length;
      if (width > 1) buffer[at++] = length >>> 8;
      if (width > 2) {
        buffer[at++] = length >>> 16;
        buffer[at++] = length >>> 24;
      }
    }
    this.length = at;
    return this.#writeText(items as readonly string[], from, to, units);
  }

  #writeText(items: readonly string[], from: number, to: number, units: number): number {
    const short = units <= shortStringUnits * (to - from);
    if (short && this.#writeShortLatin1(items, from, to, units)) return columnLatin1;
    const text = (from === 0 && to === items.length ? items : items.slice(from, to)).join("");
    const utf8 = text.isWellFormed() ? Buffer.byteLength(text, "utf8") : Number.POSITIVE_INFINITY;
    if (utf8 === units || (!short && !twoByte.test(text))) {
      this.ensure(units);
      this.length += this.buffer.write(text, this.length, units, "latin1");
      return columnLatin1;
    }
    const kind = utf8 <= units * 2 ? columnUtf8 : columnUtf16;
    const bytes = kind === columnUtf8 ? utf8 : units * 2;
    this.ensure(bytes);
    this.length += this.buffer.write(text, this.length, bytes, kind === columnUtf8 ? "utf8" : "utf16le");
    return kind;
  }

  /** `false`, and nothing written, when a unit needs two bytes. */
  #writeShortLatin1(items: readonly string[], from: number, to: number, units: number): boolean {
    this.ensure(units);
    const { buffer } = this;
    let at = this.length;
    for (let i = from; i < to; i++) {
      const text = items[i] as string;
      const { length } = text;
      let seen = 0;
      for (let j = 0; j < length; j++) {
        const unit = text.charCodeAt(j);
        seen |= unit;
        buffer[at++] = unit;
      }
      if (seen > 0xff) return false;
    }
    this.length = at;
    return true;
  }
}

/** V8 makes no strings longer than about this: such columns are written one value at a time. */
const stringUnitsMax = 500_000_000;

const twoByte = /[\u0100-\uffff]/;

/** Bytes an item takes, by kind of column; 0: it varies. */
export const widths: readonly number[] = [0, 1, 2, 4, 8, 0, 0, 0, 0];

function isConstant(items: readonly unknown[], from: number, to: number): boolean {
  const first = items[from];
  if (typeof first === "function" || typeof first === "symbol") {
    throw new DiscoError(`a ${typeof first} cannot be encoded`, { code: "bad-value" });
  }
  for (let i = from + 1; i < to; i++) if (!Object.is(items[i], first)) return false;
  return true;
}

/** The narrowest column for numbers; `columnValues` when an item is none. */
function numberColumn(items: readonly unknown[], from: number, to: number): number {
  let low = 0;
  let high = 0;
  let i = from;
  for (; i < to; i++) {
    const item = items[i];
    if (typeof item !== "number") return columnValues;
    const int = item | 0;
    if (int !== item || (int === 0 && Object.is(item, -0))) break;
    if (int < low) low = int;
    else if (int > high) high = int;
  }
  if (i < to) {
    for (; i < to; i++) if (typeof items[i] !== "number") return columnValues;
    return columnFloat64;
  }
  if (low >= -0x80 && high <= 0x7f) return columnInt8;
  return low >= -0x8000 && high <= 0x7fff ? columnInt16 : columnInt32;
}
