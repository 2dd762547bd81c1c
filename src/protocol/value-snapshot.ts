/**
 * A record is what it was when it was emitted: a function that emits one object again and again and changes it in between
 * must not change records that still wait in a buffer. So objects are copied when they are emitted, and with the copy come
 * the check that they can be encoded, and an estimate of their memory that does not depend on the heap.
 */

import { decodeValue, encodeValue } from "./value.ts";
import { kindOf, viewKind } from "./value-kind.ts";
import { explainValue } from "./value-path.ts";
import { valueDepthMax, viewKinds } from "./value-tags.ts";

/** Estimated bytes of memory of a record's fixed parts: two slots in arrays, two heads of strings or boxes. */
export const recordOverheadBytes = 64;

/** Bytes of memory that the last `snapshot` took, roughly. */
let size = 0;

/**
 * A copy of a value as a record holds it. Primitives are themselves.
 * @throws DiscoError `bad-value` with the path (`name.users[3]`) of what can not be encoded.
 */
export function snapshot(value: unknown, name: string): unknown {
  size = 0;
  try {
    return copy(value, 0);
  } catch (error) {
    if (error === refused) throw explainValue(value, name);
    throw error;
  }
}

/** Size of what the last call of `snapshot` returned, in bytes of memory, estimated. */
export function snapshotBytes(): number {
  return size;
}

/** Thrown inside `snapshot` only. */
const refused = new Error("cannot be copied");

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      size += value.length + 16;
      return value;
    case "function":
    case "symbol":
      throw refused;
    case "object":
      if (value === null) return value;
      if (depth >= valueDepthMax) throw refused;
      return copyObject(value, depth + 1);
    default:
      size += 8;
      return value;
  }
}

function copyObject(value: object, depth: number): unknown {
  size += 32;
  switch (kindOf(value)) {
    case "array": {
      const items = value as readonly unknown[];
      const result: unknown[] = [];
      for (let i = 0; i < items.length; i++) result.push(copy(items[i], depth));
      size += 8 * items.length;
      return result;
    }
    case "plain":
      return copyEntries({}, value as Record<string, unknown>, depth);
    case "null-object":
      return copyEntries(Object.create(null) as Record<string, unknown>, value as Record<string, unknown>, depth);
    case "map": {
      const result = new Map<unknown, unknown>();
      for (const [key, item] of value as Map<unknown, unknown>) result.set(copy(key, depth), copy(item, depth));
      size += 16 * result.size;
      return result;
    }
    case "set": {
      const result = new Set<unknown>();
      for (const item of value as Set<unknown>) result.add(copy(item, depth));
      size += 8 * result.size;
      return result;
    }
    case "array-buffer":
      return copyBytes(value as ArrayBuffer, 0, (value as ArrayBuffer).byteLength);
    case "view":
      return copyView(value as ArrayBufferView);
    case "unknown":
      throw refused;
    default:
      return copyByCodec(value);
  }
}

function copyEntries(
  result: Record<string, unknown>,
  value: Readonly<Record<string, unknown>>,
  depth: number,
): Record<string, unknown> {
  for (const key of Object.keys(value)) {
    const item = copy(value[key], depth);
    if (key === "__proto__") {
      Object.defineProperty(result, key, { value: item, writable: true, enumerable: true, configurable: true });
    } else result[key] = item;
    size += 8;
  }
  return result;
}

function copyView(view: ArrayBufferView): ArrayBufferView {
  const View = viewKinds[viewKind(view)];
  if (View === undefined) throw refused;
  return new View(copyBytes(view.buffer, view.byteOffset, view.byteLength));
}

/** Bytes count as what they are: a limit that is stated in them is compared with them. */
function copyBytes(buffer: ArrayBufferLike, at: number, length: number): ArrayBuffer {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(new Uint8Array(buffer, at, length));
  } catch {
    throw refused; // Its memory went to another thread, say.
  }
  size += length;
  return bytes.buffer;
}

/** Dates, regular expressions, errors, boxed primitives. */
function copyByCodec(value: object): unknown {
  let bytes: Uint8Array;
  try {
    bytes = encodeValue(value);
  } catch {
    throw refused;
  }
  size += bytes.length * 2;
  return decodeValue(bytes);
}
