/**
 * The inverse of `block-column.ts`. The block's CRC has been checked, so what is wrong here was written wrong or on purpose:
 * still an error, never a crash or a huge allocation.
 */
import { DataError } from "../errors.ts";
import * as column from "./block-column.ts";
import { ValueReader } from "./value.ts";

/** Where one column lies in a payload. */
export interface ColumnPart {
  readonly kind: number;
  readonly from: number;
  readonly to: number;
}

/** Finds the two columns of a payload. */
export function splitColumns(payload: Buffer): readonly [keys: ColumnPart, values: ColumnPart] {
  const keys = partAt(payload, 0);
  const values = partAt(payload, keys.to);
  if (values.to !== payload.length) throw bad("bytes after the last column", values.to);
  return [keys, values];
}

function partAt(payload: Buffer, at: number): ColumnPart {
  if (at + 5 > payload.length) throw bad("column ends early", at);
  const length = payload.readUInt32LE(at + 1);
  if (length > payload.length - at - 5) throw bad("column ends early", at);
  return { kind: payload[at] as number, from: at + 5, to: at + 5 + length };
}

/** All items of a column, `count` of them. */
export function readColumn(payload: Buffer, part: ColumnPart, count: number): unknown[] {
  const { kind, from, to } = part;
  switch (kind) {
    case column.columnConstant: {
      const items = readValues(payload, part, 1);
      return new Array<unknown>(count).fill(items[0]);
    }
    case column.columnInt8:
    case column.columnInt16:
    case column.columnInt32:
    case column.columnFloat64:
      if (to - from !== count * (column.widths[kind] as number))
        throw bad("column of numbers has a wrong length", from);
      return readNumbers(payload, part, count);
    case column.columnLatin1:
    case column.columnUtf8:
    case column.columnUtf16:
      return readStrings(payload, part, count);
    case column.columnValues:
      return readValues(payload, part, count);
    default:
      throw bad(`unknown kind of column ${kind}`, from - 5);
  }
}

function readValues(payload: Buffer, part: ColumnPart, count: number): unknown[] {
  const reader = new ValueReader(payload.subarray(part.from, part.to));
  const items: unknown[] = [];
  for (let i = 0; i < count; i++) items.push(reader.read());
  if (!reader.atEnd) throw bad("bytes after the last value", part.from + reader.position);
  return items;
}

function readNumbers(payload: Buffer, part: ColumnPart, count: number): number[] {
  const view = new DataView(payload.buffer, payload.byteOffset + part.from, part.to - part.from);
  const items: number[] = [];
  switch (part.kind) {
    case column.columnInt8:
      for (let i = 0; i < count; i++) items.push(view.getInt8(i));
      break;
    case column.columnInt16:
      for (let i = 0; i < count; i++) items.push(view.getInt16(i * 2, true));
      break;
    case column.columnInt32:
      for (let i = 0; i < count; i++) items.push(view.getInt32(i * 4, true));
      break;
    default:
      for (let i = 0; i < count; i++) items.push(view.getFloat64(i * 8, true));
  }
  return items;
}

function readStrings(payload: Buffer, part: ColumnPart, count: number): string[] {
  const width = payload[part.from];
  const textFrom = part.from + 1 + count * (width ?? 0);
  if ((width !== 1 && width !== 2 && width !== 4) || textFrom > part.to)
    throw bad("column of strings is damaged", part.from);
  const encoding = part.kind === column.columnLatin1 ? "latin1" : part.kind === column.columnUtf8 ? "utf8" : "utf16le";
  const text = payload.toString(encoding, textFrom, part.to);
  const items: string[] = [];
  let end = 0;
  let at = part.from + 1;
  for (let i = 0; i < count; i++) {
    const start = end;
    if (width === 1) end += payload[at++] as number;
    else {
      end += width === 2 ? payload.readUInt16LE(at) : payload.readUInt32LE(at);
      at += width;
    }
    items.push(text.substring(start, end));
  }
  if (end !== text.length) throw bad("lengths of strings do not add up", part.from);
  return items;
}

function bad(what: string, offset: number): DataError {
  return new DataError(`damaged block: ${what} at byte ${offset} of its contents`, { code: "bad-block" });
}
