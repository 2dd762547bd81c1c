/** Bytes of heap that a value takes, roughly and at once: large containers are estimated by their first elements. */
export function roughBytes(value: unknown): number {
  return estimate(value, 3);
}

const sampled = 8;

function estimate(value: unknown, depth: number): number {
  switch (typeof value) {
    case "string":
      return 16 + value.length;
    case "number":
    case "boolean":
    case "undefined":
      return 8;
    case "bigint":
      return 32;
    case "object":
      return value === null ? 8 : estimateObject(value, depth);
    default:
      return 16;
  }
}

function estimateObject(value: object, depth: number): number {
  if (ArrayBuffer.isView(value)) return 96 + value.byteLength;
  if (value instanceof ArrayBuffer) return 96 + value.byteLength;
  if (depth === 0) return 64;
  if (Array.isArray(value)) return 32 + estimateArray(value, depth);
  if (value instanceof Map) return 64 + scaled(value.size * 2, flat(value), depth);
  if (value instanceof Set) return 64 + scaled(value.size, value, depth);
  let bytes = 32;
  let seen = 0;
  for (const key in value) {
    bytes += 8 + estimate((value as Record<string, unknown>)[key], depth - 1);
    // Records have few keys; an object used as a dictionary is estimated by its first ones.
    if (++seen === 64) return bytes * Math.max(1, Object.keys(value).length / 64);
  }
  return bytes;
}

/** As `scaled`; without an iterator, since records often hold short arrays. */
function estimateArray(items: readonly unknown[], depth: number): number {
  const seen = Math.min(items.length, sampled);
  let bytes = 0;
  for (let i = 0; i < seen; i++) bytes += 16 + estimate(items[i], depth - 1);
  return seen === items.length ? bytes : (bytes / seen) * items.length;
}

function* flat(map: Map<unknown, unknown>): Generator<unknown, void, undefined> {
  for (const [key, value] of map) {
    yield key;
    yield value;
  }
}

function scaled(size: number, items: Iterable<unknown>, depth: number): number {
  if (size === 0) return 0;
  let bytes = 0;
  let seen = 0;
  for (const item of items) {
    bytes += 16 + estimate(item, depth - 1);
    if (++seen === sampled) break;
  }
  return (bytes / seen) * size;
}
