/**
 * The order that `sort: true` gives, a total order over everything that a record may have as a key:
 *
 *   undefined < null < false < true < numbers < bigints < strings < dates < bytes < arrays < sets < maps < objects < the rest
 *
 * Numbers: numerically, -0 equals 0, NaN last. Strings: by code point, not by UTF-16 unit (a lone surrogate goes with the
 * supplementary characters). Dates: by time, invalid ones last. Bytes (ArrayBuffer and views): by kind, then byte by byte,
 * a prefix first. Arrays: item by item, a prefix first. Sets and maps: as the sorted arrays of their items and entries.
 * Objects: as the array of their entries sorted by name. The rest: regular expressions by source and flags, errors by name
 * and message, boxed primitives by what they hold.
 *
 * Two keys are the same (`sameKey`) exactly when this order finds no difference; `hashKey` agrees with that.
 */
import { types } from "node:util";
import { viewKind } from "./value-kind.ts";

/** Place of a value's type in the order, 0-15. */
export function rankOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return 6;
    case "number":
      return 4;
    case "bigint":
      return 5;
    case "boolean":
      return value ? 3 : 2;
    case "undefined":
      return 0;
    default:
      return value === null ? 1 : rankOfObject(value as object);
  }
}

function rankOfObject(value: object): number {
  if (Array.isArray(value)) return 9;
  if (value instanceof Date) return 7;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 8;
  if (value instanceof Set) return 10;
  if (value instanceof Map) return 11;
  if (types.isRegExp(value)) return 13;
  if (value instanceof Error) return 14;
  if (types.isBoxedPrimitive(value)) return 15;
  return 12;
}

/** Negative, 0 or positive, as `Array.prototype.sort` wants it. */
export function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (typeof a === "number" && typeof b === "number") return compareNumbers(a, b);
  const rank = rankOf(a);
  const difference = rank - rankOf(b);
  if (difference !== 0) return difference;
  switch (rank) {
    case 5:
      return (a as bigint) < (b as bigint) ? -1 : 1;
    case 7:
      return compareNumbers((a as Date).getTime(), (b as Date).getTime());
    case 8:
      return compareBytes(a as ArrayBuffer, b as ArrayBuffer);
    case 9:
      return compareArrays(a as unknown[], b as unknown[]);
    case 10:
      return compareArrays(sorted([...(a as Set<unknown>)]), sorted([...(b as Set<unknown>)]));
    case 11:
      return compareArrays(sorted([...(a as Map<unknown, unknown>)]), sorted([...(b as Map<unknown, unknown>)]));
    case 12:
      return compareArrays(sorted(Object.entries(a as object)), sorted(Object.entries(b as object)));
    case 13:
      return compareStrings(String(a), String(b));
    case 14:
      return compareStrings(
        `${(a as Error).name}\0${(a as Error).message}`,
        `${(b as Error).name}\0${(b as Error).message}`,
      );
    case 15:
      return compareValues((a as object).valueOf(), (b as object).valueOf());
    default:
      return 0;
  }
}

/** Whether two keys belong to one group: SameValueZero for primitives, by contents for the others. */
export function sameKey(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "string" || typeof b === "string") return false;
  return compareValues(a, b) === 0;
}

/** By code point. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (i === longChars) {
      i = afterEqual(a, b, length);
      if (i === length) break;
    }
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x < 0xd800 || y < 0xd800 ? x - y : codePointOrder(x) - codePointOrder(y);
  }
  return a.length - b.length;
}

/** Strings that are the same up to here are compared by pieces, which the engine does many times faster than we do. */
const longChars = 256;

/** The last place, at or behind `longChars`, up to which pieces of both strings are the same. */
function afterEqual(a: string, b: string, length: number): number {
  let at = longChars;
  for (let piece = longChars; piece >= longChars; ) {
    if (at + piece <= length && a.substring(at, at + piece) === b.substring(at, at + piece)) {
      at += piece;
      piece *= 2;
    } else {
      piece /= 2;
    }
  }
  return at;
}

/** Moves surrogates behind the rest of the 16-bit units, so that units compare as code points do. */
export function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return (Number.isNaN(a) ? 1 : 0) - (Number.isNaN(b) ? 1 : 0);
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareBytes(a: ArrayBuffer | ArrayBufferView, b: ArrayBuffer | ArrayBufferView): number {
  const kind = bytesKind(a) - bytesKind(b);
  return kind !== 0 ? kind : Buffer.compare(asBytes(a), asBytes(b));
}

/** Number of the kind of a bytes-like value: plain buffers last. */
export function bytesKind(value: ArrayBuffer | ArrayBufferView): number {
  return ArrayBuffer.isView(value) ? viewKind(value) : 100;
}

/** The bytes under a buffer or view, not copied. */
export function asBytes(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** The items are no two the same. */
function sorted(items: unknown[]): unknown[] {
  items.sort(compareValues);
  // JavaScript's sort asks nobody about undefined and puts it last; here it comes first.
  if (items.length > 1 && items.at(-1) === undefined) items.unshift(items.pop());
  return items;
}
