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
import { GrowingBytes, tooLarge } from "./value-bytes.ts";
import { errorKind, kindOf, viewKind } from "./value-kind.ts";
import { explainValue, pathTo } from "./value-path.ts";
import { ShapeTable } from "./value-shapes.ts";
import * as tag from "./value-tags.ts";

export interface ValueWriterOptions {
  /** Called for a function; returns the number that stands for it. Default: functions are refused. */
  readonly onFunction?: (fn: (...args: never[]) => unknown, path: string) => number;
}

/** Thrown inside the writer only. */
const unencodable = new Error("cannot be encoded");

export class ValueWriter {
  readonly #out: GrowingBytes;
  #depth = 0;
  #root: unknown;
  #rootName = "value";
  readonly #shapes = new ShapeTable();
  readonly #onFunction: ValueWriterOptions["onFunction"];

  constructor(capacity = 256, options: ValueWriterOptions = {}) {
    this.#out = new GrowingBytes(capacity);
    this.#onFunction = options.onFunction;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#out.length;
  }

  /** Forgets what was written, and the shapes. */
  reset(): void {
    this.#out.length = 0;
    this.#shapes.forget(0);
  }

  /** Gives the memory back after something large. */
  release(): void {
    this.reset();
    this.#out.release();
  }

  /** What was written, without a copy: valid until the next write or reset. */
  bytes(): Buffer {
    return this.#out.buffer.subarray(0, this.#out.length);
  }

  /**
   * Appends a value. `name` is how messages call it.
   * @throws DiscoError `bad-value` naming the path of what can not be encoded; nothing is appended then.
   */
  write(value: unknown, name = "value"): void {
    const start = this.#out.length;
    const shapes = this.#shapes.size;
    this.#depth = 0;
    this.#root = value;
    this.#rootName = name;
    try {
      this.#write(value);
    } catch (error) {
      this.#out.length = start;
      this.#shapes.forget(shapes);
      if (error === tooLarge) {
        throw new DiscoError(`${name}: larger than ${tag.valueBytesMax / 1024 / 1024} MiB once encoded`, {
          code: "bad-value",
          hint: "Split it into several records.",
        });
      }
      if (error !== unencodable) throw error;
      throw explainValue(value, name, this.#onFunction !== undefined);
    } finally {
      this.#root = undefined;
    }
  }

  #write(value: unknown): void {
    switch (typeof value) {
      case "string":
        this.#writeString(value);
        break;
      case "number":
        this.#writeNumber(value);
        break;
      case "object":
        if (value === null) this.#out.byte(tag.tagNull);
        else this.#writeObject(value);
        break;
      case "boolean":
        this.#out.byte(value ? tag.tagTrue : tag.tagFalse);
        break;
      case "undefined":
        this.#out.byte(tag.tagUndefined);
        break;
      case "bigint":
        this.#writeBigInt(value);
        break;
      case "function":
        this.#writeFunction(value as (...args: never[]) => unknown);
        break;
      default:
        throw unencodable;
    }
  }

  #writeFunction(fn: (...args: never[]) => unknown): void {
    if (this.#onFunction === undefined) throw unencodable;
    const ref = this.#onFunction(fn, pathTo(this.#root, fn, this.#rootName));
    this.#out.byte(tag.tagFunction);
    this.#out.count(ref);
  }

  #writeNumber(value: number): void {
    const int = value | 0;
    if (int !== value || (int === 0 && Object.is(value, -0))) {
      this.#out.byte(tag.tagFloat64);
      this.#out.float64(value);
    } else if (int >= 0 && int <= tag.tagSmallIntMax) {
      this.#out.byte(int);
    } else {
      this.#out.byte(tag.tagInt);
      this.#out.count(((int << 1) ^ (int >> 31)) >>> 0);
    }
  }

  #writeString(text: string): void {
    const length = text.length;
    if (length < 32) {
      this.#out.ensure(length + 1);
      const buffer = this.#out.buffer;
      const start = this.#out.length;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        buffer[start + 1 + i] = unit;
      }
      if (i === length) {
        buffer[start] = tag.tagShortString + length;
        this.#out.length = start + 1 + length;
        return;
      }
    }
    const wellFormed = text.isWellFormed();
    const bytes = wellFormed ? Buffer.byteLength(text, "utf8") : length * 2;
    this.#out.byte(wellFormed ? tag.tagUtf8 : tag.tagUtf16);
    this.#out.count(bytes);
    this.#out.ensure(bytes);
    this.#out.buffer.write(text, this.#out.length, bytes, wellFormed ? "utf8" : "utf16le");
    this.#out.length += bytes;
  }

  #writeBigInt(value: bigint): void {
    const negative = value < 0n;
    const hex = (negative ? -value : value).toString(16);
    const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
    this.#out.byte(tag.tagBigInt);
    this.#out.byte(negative ? 1 : 0);
    this.#out.bytes(bytes);
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
        this.#out.byte(tag.tagDate);
        this.#out.float64((value as Date).getTime());
        break;
      case "regexp":
        this.#out.byte(tag.tagRegExp);
        this.#writeString((value as RegExp).source);
        this.#writeString((value as RegExp).flags);
        break;
      case "map":
        this.#out.byte(tag.tagMap);
        this.#out.count((value as Map<unknown, unknown>).size);
        for (const [key, item] of value as Map<unknown, unknown>) {
          this.#write(key);
          this.#write(item);
        }
        break;
      case "set":
        this.#out.byte(tag.tagSet);
        this.#out.count((value as Set<unknown>).size);
        for (const item of value as Set<unknown>) this.#write(item);
        break;
      case "array-buffer":
        this.#out.byte(tag.tagArrayBuffer);
        this.#out.bytes(new Uint8Array(value as ArrayBuffer));
        break;
      case "view": {
        const view = value as ArrayBufferView;
        this.#out.byte(tag.tagView);
        this.#out.byte(viewKind(view));
        this.#out.bytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
        break;
      }
      case "error":
        this.#writeError(value as Error);
        break;
      case "boxed":
        this.#out.byte(tag.tagBoxed);
        this.#write(value.valueOf());
        break;
      default:
        throw unencodable;
    }
    this.#depth--;
  }

  #writeArray(items: readonly unknown[]): void {
    const length = items.length;
    if (length > tag.valueBytesMax) throw tooLarge;
    if (length < 16) {
      this.#out.byte(tag.tagShortArray + length);
    } else {
      this.#out.byte(tag.tagArray);
      this.#out.count(length);
    }
    for (let i = 0; i < length; i++) this.#write(items[i]);
  }

  #writePlain(object: Record<string, unknown>): void {
    const keys = Object.keys(object);
    const shape = this.#shapes.shapeOf(keys);
    if (shape === null) {
      this.#writeEntries(tag.tagLooseObject, keys, object);
      return;
    }
    if (shape.written) {
      this.#out.byte(tag.tagShaped);
      this.#out.count(shape.number);
    } else {
      shape.written = true;
      this.#out.byte(tag.tagObject);
      this.#out.count(keys.length);
      for (const key of keys) this.#writeString(key);
    }
    for (const key of keys) this.#write(object[key]);
  }

  #writeEntries(kind: number, keys: readonly string[], object: Record<string, unknown>): void {
    this.#out.byte(kind);
    this.#out.count(keys.length);
    for (const key of keys) {
      this.#writeString(key);
      this.#write(object[key]);
    }
  }

  #writeError(error: Error): void {
    this.#out.byte(tag.tagError);
    this.#out.byte(errorKind(error));
    this.#write(String(error.name));
    this.#write(String(error.message));
    this.#write(typeof error.stack === "string" ? error.stack : undefined);
    const hasCause = Object.hasOwn(error, "cause");
    this.#write(hasCause);
    if (hasCause) this.#write(error.cause);
    if (error instanceof AggregateError) this.#write(error.errors);
  }
}
