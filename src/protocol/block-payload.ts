/**
 * Writes some of the buffered records, in a given order, as the contents of a block (`block-kinds.ts` has the layout).
 *
 * It is built behind the records' text, in the same buffer, where `copyWithin` moves a record without a view of its source.
 */
import type { Column } from "./block-column.ts";
import type { Dictionary } from "./block-dictionary.ts";
import * as block from "./block-kinds.ts";
import { copyInside, copyRecords, type Selection } from "./block-move.ts";
import type { RecordColumns } from "./block-records.ts";
import { markBytes } from "./block-text.ts";
import { ValueWriter } from "./value.ts";

/** A larger buffer for the value codec is given back after use. */
const valueBufferBytesMax = 4 * 1024 * 1024;

const values = new ValueWriter(1024);

export class PayloadWriter {
  readonly #records: RecordColumns;
  readonly #selection: Selection;
  #bytes: Buffer;
  #at: number;

  constructor(records: RecordColumns, selection: Selection, headerBytes: number) {
    this.#records = records;
    this.#selection = selection;
    this.#bytes = records.text.bytes;
    this.#at = records.text.length;
    this.#room(headerBytes);
    this.#at += headerBytes;
  }

  /** The block: room for its header, and the contents. Valid until records are added, cleared, or written again. */
  write(): Buffer {
    const { text } = this.#records;
    const columns = [this.#records.keys, this.#records.values];
    for (const column of columns) this.#column(column);
    if (text.hasWide) this.#mixedText(columns.filter((column) => column.kind === "text"));
    else this.#narrowText();
    return this.#bytes.subarray(text.length, this.#at);
  }

  #room(bytes: number): void {
    const { text } = this.#records;
    text.ensure(this.#at - text.length + bytes);
    this.#bytes = text.bytes;
  }

  #column(column: Column): void {
    this.#room(16);
    const start = this.#at;
    this.#at = start + 5;
    const kind = this.#contents(column);
    this.#bytes[start] = kind;
    this.#bytes.writeUInt32LE(this.#at - start - 5, start + 1);
  }

  #contents(column: Column): number {
    const { from, to } = this.#selection;
    if (from === to) return block.kindValues;
    switch (column.kind) {
      case "text":
        this.#marks(column.slots, this.#selection);
        return block.kindText;
      case "dictionary":
        this.#dictionary(column.slots, column.dictionary as Dictionary);
        return block.kindDictionary;
      case "numbers":
        return this.#numbers(column);
      default:
        return this.#items(column);
    }
  }

  #marks(marks: Uint32Array, { order, from, to }: Pick<Selection, "order" | "from" | "to">): void {
    let all = 0;
    let high = 0;
    let low = 0xffffffff;
    for (let r = from; r < to; r++) {
      const mark = marks[order[r] as number] as number;
      all |= mark;
      if (mark > high) high = mark;
      if (mark < low) low = mark;
    }
    // Without wide strings the last bit says nothing.
    const shift = (all & 1) === 0 ? 1 : 0;
    const most = high >>> shift;
    const width = low === high ? 0 : most < 0x100 ? 1 : most < 0x10000 ? 2 : 4;
    this.#room(5 + (to - from) * width);
    this.#bytes[this.#at++] = width | (shift === 0 ? block.formWide : 0);
    if (width === 0) this.#at = this.#bytes.writeUInt32LE(most, this.#at);
    else this.#at = writeInts(this.#bytes, this.#at, width, marks, { order, from, to, shift });
  }

  #numbers(column: Column): number {
    const { order, from, to } = this.#selection;
    const { numbers } = column;
    const first = numbers[order[from] as number] as number;
    let low = first;
    let high = first;
    let isConstant = true;
    for (let r = from + 1; r < to; r++) {
      const item = numbers[order[r] as number] as number;
      if (item < low) low = item;
      else if (item > high) high = item;
      if (isConstant && !Object.is(item, first)) isConstant = false;
    }
    if (isConstant) return this.#constant(first, column.name);
    let kind = block.kindFloat64;
    if (column.isInteger) {
      if (low >= -0x80 && high <= 0x7f) kind = block.kindInt8;
      else kind = low >= -0x8000 && high <= 0x7fff ? block.kindInt16 : block.kindInt32;
    }
    const width = block.numberWidths[kind] as number;
    this.#room((to - from) * width);
    if (kind === block.kindFloat64) {
      const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset);
      for (let r = from; r < to; r++, this.#at += 8) {
        view.setFloat64(this.#at, numbers[order[r] as number] as number, true);
      }
    } else this.#at = writeInts(this.#bytes, this.#at, width, numbers, { order, from, to, shift: 0 });
    return kind;
  }

  #items(column: Column): number {
    const { order, from, to } = this.#selection;
    const { items } = column;
    const first = items[order[from] as number];
    if (typeof first !== "object") {
      let r = from + 1;
      while (r < to && Object.is(items[order[r] as number], first)) r++;
      if (r === to) return this.#constant(first, column.name);
    }
    values.reset();
    for (let r = from; r < to; r++) values.write(items[order[r] as number], column.name);
    this.#append(values.bytes());
    if (values.length > valueBufferBytesMax) values.release();
    return block.kindValues;
  }

  #constant(item: unknown, name: string): number {
    values.reset();
    values.write(item, name);
    this.#append(values.bytes());
    return block.kindConstant;
  }

  #append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Only strings that these records have, numbered in the order they come. */
  #dictionary(ids: Uint32Array, dictionary: Dictionary): void {
    const { order, from, to } = this.#selection;
    const locals = new Uint32Array(to - from);
    const used: number[] = [];
    const stamps = dictionary.blankNumbers();
    for (let r = from; r < to; r++) {
      const id = ids[order[r] as number] as number;
      let local = stamps[id] as number;
      if (local === 0) {
        local = used.push(id);
        stamps[id] = local;
      }
      locals[r - from] = local - 1;
    }
    for (const id of used) stamps[id] = 0;
    const width = used.length === 1 ? 0 : used.length <= 0x100 ? 1 : used.length <= 0x10000 ? 2 : 4;
    this.#room(5 + locals.length * width);
    this.#bytes[this.#at] = width;
    this.#at = this.#bytes.writeUInt32LE(used.length, this.#at + 1);
    if (width > 0)
      this.#at = writeInts(this.#bytes, this.#at, width, locals, { order: null, from: 0, to: locals.length, shift: 0 });
    this.#marks(dictionary.marks, { order: Uint32Array.from(used), from: 0, to: used.length });
    this.#strings(used, dictionary);
  }

  #strings(ids: readonly number[], { marks, starts, text }: Dictionary): void {
    let narrow = 0;
    let all = 0;
    for (const id of ids) {
      const bytes = markBytes(marks[id] as number);
      all += bytes;
      if (((marks[id] as number) & 1) === 0) narrow += bytes;
    }
    this.#room(4 + all);
    this.#at = this.#bytes.writeUInt32LE(narrow, this.#at);
    for (const wide of [0, 1]) {
      for (const id of ids) {
        const mark = marks[id] as number;
        if ((mark & 1) !== wide) continue;
        const start = starts[id] as number;
        const end = start + markBytes(mark);
        for (let i = start; i < end; i++) this.#bytes[this.#at++] = text.bytes[i] as number;
      }
    }
  }

  /** No string is wide: each record's text is one piece, and of neighbours together as well. */
  #narrowText(): void {
    const { order, starts, from, to } = this.#selection;
    let all = 0;
    for (let r = from; r < to; r++) {
      const i = order[r] as number;
      all += (starts[i + 1] as number) - (starts[i] as number);
    }
    this.#room(4 + all);
    this.#at = this.#bytes.writeUInt32LE(all, this.#at);
    copyRecords(this.#bytes, this.#at, this.#selection);
    this.#at += all;
  }

  #mixedText(columns: readonly Column[]): void {
    const { order, starts, from, to } = this.#selection;
    let narrow = 0;
    let wide = 0;
    for (const { slots } of columns) {
      for (let r = from; r < to; r++) {
        const mark = slots[order[r] as number] as number;
        if ((mark & 1) === 0) narrow += mark >>> 1;
        else wide += mark - 1;
      }
    }
    this.#room(4 + narrow + wide);
    const bytes = this.#bytes;
    let narrowAt = bytes.writeUInt32LE(narrow, this.#at);
    let wideAt = narrowAt + narrow;
    this.#at = wideAt + wide;
    for (let r = from; r < to; r++) {
      const i = order[r] as number;
      let start = starts[i] as number;
      for (const { slots } of columns) {
        const mark = slots[i] as number;
        const end = start + markBytes(mark);
        if ((mark & 1) === 0) narrowAt = copyInside(bytes, narrowAt, start, end);
        else wideAt = copyInside(bytes, wideAt, start, end);
        start = end;
      }
    }
  }
}

interface Ints extends Pick<Selection, "from" | "to"> {
  /** `null`: as they are. */
  readonly order: Uint32Array | null;
  /** Bits that are dropped. */
  readonly shift: number;
}

/** Integers of 1, 2 or 4 bytes, little-endian; returns where they end. */
function writeInts(
  bytes: Buffer,
  start: number,
  width: number,
  items: Uint32Array | Float64Array,
  { order, from, to, shift }: Ints,
): number {
  let at = start;
  for (let r = from; r < to; r++) {
    const item = items[order === null ? r : (order[r] as number)] as number;
    const int = shift === 0 ? item : item >>> shift;
    bytes[at++] = int;
    if (width === 1) continue;
    bytes[at++] = int >>> 8;
    if (width === 2) continue;
    bytes[at++] = int >>> 16;
    bytes[at++] = int >>> 24;
  }
  return at;
}
