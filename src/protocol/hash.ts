/**
 * The hash that spreads keys over partitions. It is part of the format: the same on every machine and in every version, for
 * every type of key, and equal for keys that `sameKey` calls equal (1 and 1.0, 0 and -0, NaN and NaN; not 1 and "1").
 *
 * FNV-1a over UTF-16 units with MurmurHash3's finaliser, which mends FNV's weak low bits: `hash % partitions` must be even
 * for small partition counts. Unordered things (sets, maps, objects) add the hashes of their parts.
 */
import { asBytes, bytesKind, rankOf } from "./order.ts";

const prime = 0x01000193;
const offsetBasis = 0x811c9dc5;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Stands for a key's hash, which is a uint32, where nobody has computed it. */
export const unknownHash = -1;

/** A uint32 for any key that can be encoded. `seed` salts it: an int32, one for each job. */
export function hashKey(key: unknown, seed: number): number {
  if (typeof key === "string") return hashString(key, seed);
  return finish(hashOther(key, seed | 0)) >>> 0;
}

/** `hashKey` of a string. */
export function hashString(text: string, seed: number): number {
  let h = (seed ^ offsetBasis) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), prime);
  return finish(h ^ text.length) >>> 0;
}

function hashOther(value: unknown, seed: number): number {
  switch (typeof value) {
    case "string":
      return hashString(value, seed);
    case "number":
      return hashNumber(value, seed);
    case "bigint":
      return hashString(value.toString(36), seed ^ 0x5bd1e995);
    case "object":
      return value === null ? seed ^ 0x1b873593 : hashObject(value, seed);
    default:
      return (seed ^ 0x2545f491) + rankOf(value);
  }
}

function hashNumber(value: number, seed: number): number {
  if ((value | 0) === value) return Math.imul((seed ^ 0x3c6ef372) + (value | 0), 0x9e3779b1);
  double[0] = Number.isNaN(value) ? Number.NaN : value;
  return mix(mix(seed ^ 0x510e527f, halves[0] as number), halves[1] as number);
}

function hashObject(value: object, seed: number): number {
  const rank = rankOf(value);
  const h = mix(seed, rank);
  switch (rank) {
    case 7:
      return mix(h, hashNumber((value as Date).getTime(), seed));
    case 8:
      return hashBytes(asBytes(value as ArrayBuffer), mix(h, bytesKind(value as ArrayBuffer)));
    case 9:
      return hashArray(value as unknown[], h, seed);
    case 10: {
      let sum = 0;
      for (const item of value as Set<unknown>) sum = (sum + hashKey(item, seed)) | 0;
      return mix(h, sum);
    }
    case 11: {
      let sum = 0;
      for (const entry of value as Map<unknown, unknown>) sum = (sum + finish(hashArray(entry, h, seed))) | 0;
      return mix(h, sum);
    }
    case 12: {
      let sum = 0;
      for (const entry of Object.entries(value)) sum = (sum + finish(hashArray(entry, h, seed))) | 0;
      return mix(h, sum);
    }
    case 13:
      return mix(h, hashString(String(value), seed));
    case 14:
      return mix(h, hashString(`${(value as Error).name}\0${(value as Error).message}`, seed));
    default:
      return mix(h, hashOther(value.valueOf(), seed));
  }
}

function hashArray(items: readonly unknown[], start: number, seed: number): number {
  let h = mix(start, items.length);
  for (let i = 0; i < items.length; i++) h = mix(h, hashOther(items[i], seed));
  return h;
}

function hashBytes(bytes: Uint8Array, start: number): number {
  let h = mix(start, bytes.length);
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ (bytes[i] as number), prime);
  return h;
}

/** One round of MurmurHash3. */
function mix(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const x = h ^ k;
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

/** MurmurHash3's finaliser. */
function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
