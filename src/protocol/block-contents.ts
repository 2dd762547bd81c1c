/**
 * The inverse of `block-payload.ts`. The block's CRC has been checked, so what is wrong here was written wrong or on purpose:
 * still an error, never a crash or a huge allocation.
 */
import { DataError } from "../errors.ts";
import * as block from "./block-kinds.ts";
import { readInts, readMarks, TextSlices } from "./block-slices.ts";
import type { StringPool } from "./string-pool.ts";
import { TextRecords } from "./text-records.ts";
import { ValueReader } from "./value.ts";

/** Where one column lies in a payload. */
interface ColumnPart {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
}

/** The records of a block, decoded when they are first asked for. */
export class BlockContents {
  readonly #payload: Buffer;
  readonly #count: number;
  readonly #strings: StringPool | undefined;
  readonly #parts: readonly [keys: ColumnPart, values: ColumnPart];
  #keys: unknown[] | null = null;
  #values: unknown[] | null = null;

  /** `strings`: equal strings of dictionaries become the same objects. */
  constructor(payload: Buffer, count: number, strings?: StringPool) {
    this.#payload = payload;
    this.#count = count;
    this.#strings = strings;
    const keys = partAt(payload, 0);
    this.#parts = [keys, partAt(payload, keys.to)];
  }

  keys(): unknown[] {
    if (this.#keys === null) this.#decode();
    return this.#keys as unknown[];
  }

  values(): unknown[] {
    if (this.#values === null) this.#decode();
    return this.#values as unknown[];
  }

  /** The records as bytes, which stay where they are, if there are only narrow strings; else `null`. */
  texts(): TextRecords | null {
    const [keys, values] = this.#parts;
    const payload = this.#payload;
    const from = values.to + 4;
    if (keys.kind !== block.kindText || values.kind !== block.kindText || from > payload.length) return null;
    if (payload.readUInt32LE(values.to) !== payload.length - from) return null;
    const keyMarks = this.#marks(keys) as Uint32Array;
    const valueMarks = this.#marks(values) as Uint32Array;
    let all = 0;
    let length = 0;
    for (let i = 0; i < this.#count; i++) {
      const [key, value] = [keyMarks[i] as number, valueMarks[i] as number];
      all |= key | value;
      length += (key >>> 1) + (value >>> 1);
    }
    // What does not fit together is named where strings are made of it.
    if ((all & 1) !== 0 || length !== payload.length - from) return null;
    const whole = Buffer.from(payload.buffer);
    return new TextRecords(whole, payload.byteOffset + from, keyMarks, valueMarks, this.#count);
  }

  /** Both at once: what text of a record is its value's depends on its key. */
  #decode(): void {
    const [keys, values] = this.#parts;
    const payload = this.#payload;
    const count = this.#count;
    const slices = new TextSlices(payload, values.to, payload.length);
    const keyMarks = this.#marks(keys);
    const valueMarks = this.#marks(values);
    if (keyMarks !== null && valueMarks !== null) {
      [this.#keys, this.#values] = slices.pairs(keyMarks, valueMarks);
    } else {
      this.#keys = keyMarks === null ? this.#column(keys) : slices.strings(keyMarks);
      this.#values = valueMarks === null ? this.#column(values) : slices.strings(valueMarks);
    }
    slices.end();
    if (this.#keys.length !== count || this.#values.length !== count) throw bad("columns disagree", 0);
  }

  #marks({ kind, from, to }: ColumnPart): Uint32Array | null {
    if (kind !== block.kindText) return null;
    const { marks, end } = readMarks(this.#payload, from, to, this.#count);
    if (end !== to) throw bad("bytes after the last length", end);
    return marks;
  }

  /** All items of a column that has no text. */
  #column(part: ColumnPart): unknown[] {
    const { kind, from, to } = part;
    const count = this.#count;
    switch (kind) {
      case block.kindConstant:
        return new Array<unknown>(count).fill(this.#items(part, 1)[0]);
      case block.kindInt8:
      case block.kindInt16:
      case block.kindInt32:
      case block.kindFloat64:
        if (to - from !== count * (block.numberWidths[kind] as number)) {
          throw bad("column of numbers has a wrong length", from);
        }
        return this.#numbers(part);
      case block.kindDictionary:
        return this.#dictionary(part);
      case block.kindValues:
        return this.#items(part, count);
      default:
        throw bad(`unknown kind of column ${kind}, made by a newer version`, from - 5);
    }
  }

  #items({ from, to }: ColumnPart, count: number): unknown[] {
    const reader = new ValueReader(this.#payload.subarray(from, to));
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(reader.read());
    if (!reader.atEnd) throw bad("bytes after the last value", from + reader.position);
    return items;
  }

  #numbers({ kind, from, to }: ColumnPart): number[] {
    const payload = this.#payload;
    const view = new DataView(payload.buffer, payload.byteOffset + from, to - from);
    const count = this.#count;
    const items = new Array<number>(count);
    switch (kind) {
      case block.kindInt8:
        for (let i = 0; i < count; i++) items[i] = view.getInt8(i);
        break;
      case block.kindInt16:
        for (let i = 0; i < count; i++) items[i] = view.getInt16(i * 2, true);
        break;
      case block.kindInt32:
        for (let i = 0; i < count; i++) items[i] = view.getInt32(i * 4, true);
        break;
      default:
        for (let i = 0; i < count; i++) items[i] = view.getFloat64(i * 8, true);
    }
    return items;
  }

  #dictionary({ from, to }: ColumnPart): string[] {
    const payload = this.#payload;
    const count = this.#count;
    const width = payload[from] as number;
    const idsFrom = from + 5;
    const idsTo = idsFrom + count * width;
    if ((width !== 0 && width !== 1 && width !== 2 && width !== 4) || idsTo > to) {
      throw bad("dictionary is damaged", from);
    }
    const size = payload.readUInt32LE(from + 1);
    // Each string is some record's.
    if (size > count || (width === 0 && size !== 1)) throw bad("dictionary is damaged", from + 1);
    const { marks, end } = readMarks(payload, idsTo, to, size);
    const slices = new TextSlices(payload, end, to);
    const strings = slices.strings(marks);
    slices.end();
    this.#strings?.share(strings);
    if (width === 0) return new Array<string>(count).fill(strings[0] as string);
    const ids = readInts(payload, idsFrom, width, count);
    const items = new Array<string>(count);
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number;
      if (id >= size) throw bad("dictionary has no such string", idsFrom + i * width);
      items[i] = strings[id] as string;
    }
    return items;
  }
}

function partAt(payload: Buffer, at: number): ColumnPart {
  if (at + 5 > payload.length) throw bad("column ends early", at);
  const length = payload.readUInt32LE(at + 1);
  if (length > payload.length - at - 5) throw bad("column ends early", at);
  return { kind: payload[at] as number, from: at + 5, to: at + 5 + length };
}

function bad(what: string, offset: number): DataError {
  return new DataError(`damaged block: ${what} at byte ${offset} of its contents`, { code: "bad-block" });
}
