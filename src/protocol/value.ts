/**
 * The value codec: everything that structured clone knows, exactly, as bytes that are the same for the same value on every
 * machine and version. Used for records, params and the opaque part of job packs.
 *
 * Kept: undefined, null, booleans, numbers (with -0 and NaN), BigInt, strings (with lone surrogates), Date, RegExp, Map, Set,
 * arrays, plain objects (with or without prototype, with an own `__proto__`), ArrayBuffer and every view on one, boxed
 * primitives, errors (name, message, stack, cause). Not kept: holes (they become undefined), the identity of an object that
 * occurs twice, properties of arrays that are no items, `lastIndex` of a RegExp. A Buffer comes back as a Uint8Array.
 * Refused, with the path to it: functions, symbols, promises, instances of classes, values that contain themselves.
 */
import { DataError } from "../errors.ts";
import { ValueReader, type ValueReaderOptions } from "./value-reader.ts";
import { ValueWriter, type ValueWriterOptions } from "./value-writer.ts";

export { ValueReader, type ValueReaderOptions } from "./value-reader.ts";
export { ValueWriter, type ValueWriterOptions } from "./value-writer.ts";

/**
 * One value as bytes of its own.
 * @throws DiscoError `bad-value`, whose message begins with the path (`value.users[3].callback: …`).
 */
export function encodeValue(value: unknown, options: ValueWriterOptions = {}): Uint8Array {
  const writer = new ValueWriter(256, options);
  writer.write(value);
  return new Uint8Array(writer.bytes());
}

/**
 * The value that `encodeValue` wrote.
 * @throws DataError `bad-value` naming the offset, when the bytes are damaged or more follow.
 */
export function decodeValue(bytes: Uint8Array, options: ValueReaderOptions = {}): unknown {
  const reader = new ValueReader(bytes, options);
  const value = reader.read();
  if (!reader.atEnd) {
    throw new DataError(`bytes after the end of a value at byte ${reader.position} of ${bytes.length}`, {
      code: "bad-value",
    });
  }
  return value;
}
