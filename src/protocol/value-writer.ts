/**
 * Values to bytes. One writer encodes a stream of values into one growing buffer, and is meant to be reused (`reset`).
 *
 * The hot path knows nothing of paths and cycles: it stops at whatever it can not encode, or at a depth that only cyclic
 * values reach, and then `value-path.ts` walks the value again, slowly, to say what and where.
 *
 * References are not kept: an object that occurs twice is written twice. A list of keys is written once a stream, then by
 * number (a *shape*): records are objects of a few shapes, and reading is faster when keys need no decoding.
 */
import { DiscoError } from "../errors.ts";
import { errorKind, kindOf, viewKind } from "./value-kind.ts";
import { explainValue, pathTo } from "./value-path.ts";
import * as tag from "./value-tags.ts";

export interface ValueWriterOptions {
  /** Called for a function; returns the number that stands for it. Default: functions are refused. */
  readonly onFunction?: (fn: (...args: never[]) => unknown, path: string) => number;
}

/** Thrown inside the writer only. */
const unencodable = new Error("cannot be encoded");

export class ValueWriter {
  /** Bytes written so far. */
  length = 0;
  #buffer: Buffer;
  #view: DataView;
  #depth = 0;
  #root: unknown;
  #rootName = "value";
  #shapes: Map<string, Shape> | null = null;
  #lastShape: Shape | null = null;
  readonly #onFunction: ValueWriterOptions["onFunction"];

  constructor(capacity = 256, options: ValueWriterOptions = {}) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
    this.#view = new DataView(this.#buffer.buffer);
    this.#onFunction = options.onFunction;
  }

  /** Forgets what was written, and the shapes. */
  reset(): void {
    this.length = 0;
    this.#shapes = null;
    this.#lastShape = null;
  }

  /** Gives the memory back after something large. */
  release(): void {
    this.reset();
    this.#buffer = Buffer.allocUnsafeSlow(256);
    this.#view = new DataView(this.#buffer.buffer);
  }

  /** What was written, without a copy: valid until the next write or reset. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  /**
   * Appends a value. `name` is how messages call it.
   * @throws DiscoError `bad-value` naming the path of what can not be encoded; nothing is appended then.
   */
  write(value: unknown, name = "value"): void {
    const start = this.length;
    const shapes = this.#shapes?.size ?? 0;
    this.#depth = 0;
    this.#root = value;
    this.#rootName = name;
    try {
      this.#write(value);
    } catch (error) {
      this.length = start;
      this.#forgetShapes(shapes);
      if (error !== unencodable) throw error;
      throw explainValue(value, name, this.#onFunction !== undefined);
    } finally {
      this.#root = undefined;
    }
  }

  #write(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.#writeString(value);
      case "number":
        return this.#writeNumber(value);
      case "object":
        return value === null ? this.#writeByte(tag.tagNull) : this.#writeObject(value);
      case "boolean":
        return this.#writeByte(value ? tag.tagTrue : tag.tagFalse);
      case "undefined":
        return this.#writeByte(tag.tagUndefined);
      case "bigint":
        return this.#writeBigInt(value);
      case "function": {
        if (this.#onFunction === undefined) throw unencodable;
        const ref = this.#onFunction(value as (...args: never[]) => unknown, pathTo(this.#root, value, this.#rootName));
        this.#writeByte(tag.tagFunction);
        return this.#writeCount(ref);
      }
      default:
        throw unencodable;
    }
  }

  #ensure(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.#buffer.length) return;
    if (needed > tag.valueBytesMax + 1024) throw tooLarge(this.#rootName);
    const buffer = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#buffer.length * 2, tag.valueBytesMax)));
    this.#buffer.copy(buffer, 0, 0, this.length);
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }

  #writeByte(byte: number): void {
    this.#ensure(1);
    this.#buffer[this.length++] = byte;
  }

  #writeCount(count: number): void {
    this.#ensure(8);
    let rest = count;
    while (rest > 0x7f) {
      this.#buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest = rest >= 0x80000000 ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.#buffer[this.length++] = rest;
  }

  #writeNumber(value: number): void {
    const int = value | 0;
    if (int !== value || (int === 0 && Object.is(value, -0))) {
      this.#ensure(9);
      this.#buffer[this.length] = tag.tagFloat64;
      this.#view.setFloat64(this.length + 1, value, true);
      this.length += 9;
    } else if (int >= 0 && int <= tag.tagSmallIntMax) {
      this.#writeByte(int);
    } else {
      this.#writeByte(tag.tagInt);
      this.#writeCount(((int << 1) ^ (int >> 31)) >>> 0);
    }
  }

  #writeString(text: string): void {
    const length = text.length;
    if (length < 32) {
      this.#ensure(length + 1);
      const buffer = this.#buffer;
      const start = this.length;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        buffer[start + 1 + i] = unit;
      }
      if (i === length) {
        buffer[start] = tag.tagShortString + length;
        this.length = start + 1 + length;
        return;
      }
    }
    const wellFormed = text.isWellFormed();
    const bytes = wellFormed ? Buffer.byteLength(text, "utf8") : length * 2;
    this.#writeByte(wellFormed ? tag.tagUtf8 : tag.tagUtf16);
    this.#writeCount(bytes);
    this.#ensure(bytes);
    this.#buffer.write(text, this.length, bytes, wellFormed ? "utf8" : "utf16le");
    this.length += bytes;
  }

  #writeBigInt(value: bigint): void {
    const negative = value < 0n;
    const hex = (negative ? -value : value).toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
    this.#writeByte(tag.tagBigInt);
    this.#writeByte(negative ? 1 : 0);
    this.#writeBytes(bytes);
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#writeCount(bytes.length);
    this.#ensure(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  #writeFloat64(value: number): void {
    this.#ensure(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  #writeObject(value: object): void {
    if (++this.#depth > tag.valueDepthMax) throw unencodable;
    const kind = kindOf(value);
    switch (kind) {
      case "plain":
        this.#writePlain(value as Record<string, unknown>);
        break;
      case "array":
        this.#writeArray(value as unknown[]);
        break;
      case "null-object":
        this.#writeEntries(tag.tagNullObject, Object.keys(value), value as Record<string, unknown>);
        break;
      case "date":
        this.#writeByte(tag.tagDate);
        this.#writeFloat64((value as Date).getTime());
        break;
      case "regexp":
        this.#writeByte(tag.tagRegExp);
        this.#writeString((value as RegExp).source);
        this.#writeString((value as RegExp).flags);
        break;
      case "map":
        this.#writeByte(tag.tagMap);
        this.#writeCount((value as Map<unknown, unknown>).size);
        for (const [key, item] of value as Map<unknown, unknown>) {
          this.#write(key);
          this.#write(item);
        }
        break;
      case "set":
        this.#writeByte(tag.tagSet);
        this.#writeCount((value as Set<unknown>).size);
        for (const item of value as Set<unknown>) this.#write(item);
        break;
      case "array-buffer":
        this.#writeByte(tag.tagArrayBuffer);
        this.#writeBytes(new Uint8Array(value as ArrayBuffer));
        break;
      case "view": {
        const view = value as ArrayBufferView;
        this.#writeByte(tag.tagView);
        this.#writeByte(viewKind(view));
        this.#writeBytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
        break;
      }
      case "error":
        this.#writeError(value as Error);
        break;
      case "boxed":
        this.#writeByte(tag.tagBoxed);
        this.#write(value.valueOf());
        break;
      default:
        throw unencodable;
    }
    this.#depth--;
  }

  #writeArray(items: readonly unknown[]): void {
    const length = items.length;
    if (length > tag.valueBytesMax) throw tooLarge(this.#rootName);
    if (length < 16) {
      this.#writeByte(tag.tagShortArray + length);
    } else {
      this.#writeByte(tag.tagArray);
      this.#writeCount(length);
    }
    for (let i = 0; i < length; i++) this.#write(items[i]);
  }

  #writePlain(object: Record<string, unknown>): void {
    const keys = Object.keys(object);
    const shape = this.#shapeOf(keys);
    if (shape === null) return this.#writeEntries(tag.tagLooseObject, keys, object);
    if (shape.written) {
      this.#writeByte(tag.tagShaped);
      this.#writeCount(shape.number);
    } else {
      shape.written = true;
      this.#writeByte(tag.tagObject);
      this.#writeCount(keys.length);
      for (const key of keys) this.#writeString(key);
    }
    for (const key of keys) this.#write(object[key]);
  }

  #writeEntries(kind: number, keys: readonly string[], object: Record<string, unknown>): void {
    this.#writeByte(kind);
    this.#writeCount(keys.length);
    for (const key of keys) {
      this.#writeString(key);
      this.#write(object[key]);
    }
  }

  /** The shape of a list of keys, made if there is room; `null`: write the object without one. */
  #shapeOf(keys: readonly string[]): Shape | null {
    if (this.#lastShape !== null && sameKeys(this.#lastShape.keys, keys)) return this.#lastShape;
    if (keys.length > tag.shapeKeysMax) return null;
    this.#shapes ??= new Map();
    const name = keys.join("\0");
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      if (this.#shapes.size >= tag.shapeCountMax) return null;
      shape = { keys, number: this.#shapes.size, written: false };
      this.#shapes.set(name, shape);
    } else if (!sameKeys(shape.keys, keys)) {
      return null;
    }
    this.#lastShape = shape;
    return shape;
  }

  /** Shapes whose keys were in bytes that are given up. */
  #forgetShapes(from: number): void {
    this.#lastShape = null;
    for (const [name, shape] of this.#shapes ?? []) if (shape.number >= from) this.#shapes?.delete(name);
  }

  #writeError(error: Error): void {
    this.#writeByte(tag.tagError);
    this.#writeByte(errorKind(error));
    this.#write(String(error.name));
    this.#write(String(error.message));
    this.#write(typeof error.stack === "string" ? error.stack : undefined);
    const hasCause = Object.hasOwn(error, "cause");
    this.#write(hasCause);
    if (hasCause) this.#write(error.cause);
    if (error instanceof AggregateError) this.#write(error.errors);
  }
}

interface Shape {
  readonly keys: readonly string[];
  readonly number: number;
  written: boolean;
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function tooLarge(name: string): DiscoError {
  return new DiscoError(`${name}: larger than ${tag.valueBytesMax / 1024 / 1024} MiB once encoded`, {
    code: "bad-value",
    hint: "Split it into several records.",
  });
}
