/**
 * A record is what it was when it was emitted: a function that emits one object again and again and changes it in between
 * must not change records that still wait in a buffer. So objects are copied when they are emitted, and with the copy come
 * the check that they can be encoded, and an estimate of their memory that does not depend on the heap.
 */

import { decodeValue, encodeValue } from "./value.ts";
import { kindOf } from "./value-kind.ts";
import { explainValue } from "./value-path.ts";
import { valueDepthMax } from "./value-tags.ts";

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
    case "plain": {
      const result: Record<string, unknown> = {};
      for (const key of Object.keys(value)) {
        if (key === "__proto__") return copyByCodec(value);
        result[key] = copy((value as Record<string, unknown>)[key], depth);
        size += 8;
      }
      return result;
    }
    case "unknown":
      throw refused;
    default:
      return copyByCodec(value);
  }
}

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
