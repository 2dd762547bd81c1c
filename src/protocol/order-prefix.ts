/**
 * A number that stands for a key when two are compared: if prefixes differ, they order the keys; if they are equal, the keys
 * must be compared in full. Comparing two doubles in a typed array is ten times cheaper than comparing two strings.
 *
 * 52 bits: 4 for the type's rank, 48 for the first 6 bytes of the key. For strings the bytes are like UTF-8, but of UTF-16
 * units in code point order (`codePointOrder`), so that surrogates keep their place; a string that ends is padded by 0.
 */
import { codePointOrder, rankOf } from "./order.ts";

const two48 = 2 ** 48;
const two24 = 2 ** 24;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Prefix of any key: an integer below 2**52. */
export function keyPrefix(key: unknown): number {
  if (typeof key === "string") return 6 * two48 + stringPrefix(key, 0);
  if (typeof key === "number") return 4 * two48 + numberPrefix(key);
  const rank = rankOf(key);
  if (rank === 9 && (key as unknown[]).length > 0) {
    // One byte says "not empty" and gives the first item's rank, five are the item's own.
    const item = (key as unknown[])[0];
    return 9 * two48 + (rankOf(item) + 1) * 2 ** 40 + Math.floor((keyPrefix(item) % two48) / 256);
  }
  if (rank === 7) return 7 * two48 + numberPrefix((key as Date).getTime());
  return rank * two48;
}

/** The first 6 bytes of a string from a unit on, as an integer below 2**48. */
export function stringPrefix(text: string, from: number): number {
  let high = 0;
  let low = 0;
  const length = text.length - from;
  for (let i = 0; i < 6; i++) {
    const unit = i < length ? text.charCodeAt(from + i) : 0;
    if (unit > 0x7f) return wideStringPrefix(text, from);
    if (i < 3) high = (high << 8) | unit;
    else low = (low << 8) | unit;
  }
  return high * two24 + low;
}

/** `keyPrefix` of a string that lies as narrow bytes in a buffer. */
export function textPrefix(bytes: Buffer, start: number, length: number): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < 6; i++) {
    const unit = i < length ? (bytes[start + i] as number) : 0;
    if (unit > 0x7f) return keyPrefix(bytes.toString("latin1", start, start + Math.min(6, length)));
    if (i < 3) high = (high << 8) | unit;
    else low = (low << 8) | unit;
  }
  return 6 * two48 + high * two24 + low;
}

function wideStringPrefix(text: string, from: number): number {
  let prefix = 0;
  let bytes = 0;
  for (let i = from; bytes < 6; i++) {
    const unit = i < text.length ? codePointOrder(text.charCodeAt(i)) : 0;
    if (unit < 0x80) {
      prefix = prefix * 256 + unit;
      bytes++;
    } else if (unit < 0x800) {
      prefix = (prefix * 256 + (0xc0 | (unit >>> 6))) * 256 + (0x80 | (unit & 0x3f));
      bytes += 2;
    } else {
      prefix =
        (prefix * 256 + (0xe0 | (unit >>> 12))) * 65536 +
        ((0x80 | ((unit >>> 6) & 0x3f)) << 8) +
        (0x80 | (unit & 0x3f));
      bytes += 3;
    }
  }
  return bytes === 6 ? prefix : Math.floor(prefix / 256 ** (bytes - 6));
}

/** The upper 48 bits of a number's place in the order of numbers. */
export function numberPrefix(value: number): number {
  orderBits(value);
  return numberHigh * 65536 + (numberLow >>> 16);
}

/** Set by `orderBits`: 64 bits whose unsigned order is the order of numbers. */
export let numberHigh = 0;
export let numberLow = 0;

/** Sets `numberHigh` and `numberLow`. Negative numbers are inverted, the others get the top bit; NaN is the last. */
export function orderBits(value: number): void {
  double[0] = value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value;
  const high = halves[1] as number;
  const low = halves[0] as number;
  if (high >= 0x80000000 && !Number.isNaN(value)) {
    numberHigh = ~high >>> 0;
    numberLow = ~low >>> 0;
  } else {
    numberHigh = (high | 0x80000000) >>> 0;
    numberLow = low;
  }
}
