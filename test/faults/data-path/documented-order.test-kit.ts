/**
 * The order of `sort: true` as its documentation has it (`src/protocol/order.ts`, first comment), written down a second time:
 * slowly, and without a line of the engine's. A value becomes nested arrays of numbers and strings; these are compared item
 * by item, a prefix first.
 */
import { types } from "node:util";
import fc from "fast-check";
import { anyKey, anyNumber, anyString } from "../../../src/protocol/arbitrary-values.test-kit.ts";

type Place = number | string | bigint | readonly Place[];

const views = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  Float16Array,
] as const;

/** As `Array.prototype.sort` wants it. */
export function documentedOrder(a: unknown, b: unknown): number {
  return comparePlaces(placeOf(a), placeOf(b));
}

function placeOf(value: unknown): readonly Place[] {
  if (value === undefined) return [0];
  if (value === null) return [1];
  if (value === false) return [2];
  if (value === true) return [3];
  if (typeof value === "number") return [4, ...numberPlace(value)];
  if (typeof value === "bigint") return [5, value];
  if (typeof value === "string") return [6, codePoints(value)];
  if (value instanceof Date) return [7, ...numberPlace(value.getTime())];
  if (value instanceof ArrayBuffer) return [8, views.length, [...new Uint8Array(value)]];
  if (ArrayBuffer.isView(value)) {
    const kind = views.findIndex((View) => value instanceof View);
    return [8, kind, [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]];
  }
  if (Array.isArray(value)) return [9, value.map(placeOf)];
  if (value instanceof Set) return [10, [...value].map(placeOf).sort(comparePlaces)];
  if (value instanceof Map) return [11, entryPlaces([...value])];
  if (value instanceof RegExp) return [13, codePoints(String(value))];
  if (value instanceof Error) return [14, codePoints(`${value.name}\0${value.message}`)];
  if (types.isBoxedPrimitive(value)) return [15, placeOf(value.valueOf())];
  return [12, entryPlaces(Object.entries(value as object))];
}

function entryPlaces(entries: readonly (readonly [unknown, unknown])[]): readonly Place[] {
  return entries.map((entry) => entry.map(placeOf)).sort(comparePlaces);
}

/** NaN behind everything; -0 is 0. */
function numberPlace(value: number): readonly number[] {
  return Number.isNaN(value) ? [1] : [0, value];
}

/** A lone surrogate is among the supplementary characters, where its unit would put it: U+D800 as the first of its pair. */
function codePoints(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, i) => {
    const unit = text.charCodeAt(i);
    return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  });
}

function comparePlaces(a: Place, b: Place): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = comparePlaces(a[i] as Place, b[i] as Place);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

const surrogates = fc.constantFrom(
  "\ud800",
  "\udfff",
  "\ud83d\ude00",
  "\u{10000}",
  "\uffff",
  "\ue000",
  "a\ud800",
  "a\u{1f600}",
);

/** A key of any kind, each about as often as the others, with many that are the same or nearly so. */
export const keyOfAnyKind: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(undefined, null, false, true),
  anyNumber,
  fc.constantFrom(0, -0, 1, 2, 10, 9, Number.NaN, Number.MIN_VALUE, -Number.MAX_VALUE),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt(),
  anyString,
  surrogates,
  fc.constantFrom("", "a", "aa", "aaaaaa", "aaaaaaa", "aaaaaaaa", "aaaaaaab", "aaaaaaa\0", "9", "10", "é", "ÿ", "Ā"),
  fc.date({ noInvalidDate: false }),
  fc.constantFrom(new Date(0), new Date(Number.NaN)),
  fc.uint8Array({ maxLength: 3 }),
  fc.constantFrom(new ArrayBuffer(0), new Int8Array([-1]), new Float64Array([0]), new DataView(new ArrayBuffer(2))),
  fc.array(fc.oneof(anyNumber, surrogates), { maxLength: 3 }),
  fc.array(fc.constantFrom(0, "a", null), { maxLength: 3 }).map((items) => new Set(items)),
  fc.array(fc.tuple(fc.constantFrom(0, "a"), anyNumber), { maxLength: 2 }).map((entries) => new Map(entries)),
  fc.dictionary(fc.constantFrom("a", "b", "__proto__"), anyNumber, { maxKeys: 2 }),
  fc.constantFrom(/a/, /a/g, /b/, new TypeError("a"), new Error("b"), Object(1), Object("x")),
  anyKey,
);
