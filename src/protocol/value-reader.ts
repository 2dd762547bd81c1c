/**
 * Bytes to values. Bytes may come from anywhere, so nothing in them is believed: a count is checked against the bytes that
 * are left before anything of that size is made, depth is bounded, and every error is a `DataError` with an offset.
 */
import { DataError } from "../errors.ts";
import * as tag from "./value-tags.ts";

export interface ValueReaderOptions {
  /** What stands for the function that was encoded as this number. Default: a number for a function is refused. */
  readonly onFunction?: (ref: number) => unknown;
}

export class ValueReader {
  /** Offset of the next byte. */
  position: number;
  readonly #buffer: Buffer;
  readonly #end: number;
  readonly #view: DataView;
  #depth = 0;
  #shapes: (readonly string[])[] = [];
  readonly #onFunction: ValueReaderOptions["onFunction"];

  constructor(bytes: Uint8Array, options: ValueReaderOptions = {}) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
    this.position = 0;
    this.#onFunction = options.onFunction;
  }

  get atEnd(): boolean {
    return this.position === this.#end;
  }

  /** The next value. @throws DataError `bad-value` with the offset. */
  read(): unknown {
    const start = this.position;
    this.#depth = 0;
    try {
      return this.#read();
    } catch (error) {
      if (error instanceof DataError) throw error;
      throw this.#bad("damaged value", start, error);
    }
  }

  #read(): unknown {
    const kind = this.#byte();
    if (kind <= tag.tagSmallIntMax) return kind;
    if (kind < tag.tagShortArray) return this.#ascii(kind - tag.tagShortString);
    if (kind < tag.tagUndefined) return this.#array(kind - tag.tagShortArray);
    switch (kind) {
      case tag.tagUndefined:
        return undefined;
      case tag.tagNull:
        return null;
      case tag.tagFalse:
        return false;
      case tag.tagTrue:
        return true;
      case tag.tagInt: {
        const zigzag = this.#count32();
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
      case tag.tagFloat64:
        return this.#float64();
      case tag.tagBigInt: {
        const negative = this.#byte() === 1;
        const magnitude = BigInt(`0x${this.#take().toString("hex") || "0"}`);
        return negative ? -magnitude : magnitude;
      }
      case tag.tagUtf8:
        return this.#take().toString("utf8");
      case tag.tagUtf16:
        return this.#take().toString("utf16le");
      case tag.tagDate:
        return new Date(this.#float64());
      case tag.tagRegExp:
        return new RegExp(this.#string(), this.#string());
      case tag.tagArray:
        return this.#array(this.#items(1));
      case tag.tagMap:
        return this.#map(this.#items(2));
      case tag.tagSet:
        return this.#set(this.#items(1));
      case tag.tagObject:
        return this.#object(this.#newShape());
      case tag.tagShaped: {
        const shape = this.#shapes[this.#count()];
        if (shape === undefined) throw this.#bad("unknown shape");
        return this.#object(shape);
      }
      case tag.tagLooseObject:
        return this.#entries({}, this.#items(2));
      case tag.tagNullObject:
        return this.#entries(Object.create(null) as Record<string, unknown>, this.#items(2));
      case tag.tagArrayBuffer:
        return this.#copy();
      case tag.tagView: {
        const View = tag.viewKinds[this.#byte()];
        if (View === undefined) throw this.#bad("unknown kind of view");
        return new View(this.#copy());
      }
      case tag.tagError:
        return this.#error();
      case tag.tagBoxed:
        return this.#boxed();
      case tag.tagFunction: {
        if (this.#onFunction === undefined) throw this.#bad("a function among data");
        return this.#onFunction(this.#count());
      }
      default:
        throw this.#bad(`unknown tag 0x${kind.toString(16)}`, this.position - 1);
    }
  }

  #bad(what: string, offset = this.position, cause?: unknown): DataError {
    const at = `${what} at byte ${offset} of ${this.#end}`;
    return new DataError(at, cause === undefined ? { code: "bad-value" } : { code: "bad-value", cause });
  }

  #byte(): number {
    if (this.position >= this.#end) throw this.#bad("value ends early");
    return this.#buffer[this.position++] as number;
  }

  #count(): number {
    let count = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      count += (byte & 0x7f) * scale;
      if (byte < 0x80) return count;
      scale *= 128;
      if (scale > 2 ** 42) throw this.#bad("count too large");
    }
  }

  #count32(): number {
    const count = this.#count();
    if (count > 0xffffffff) throw this.#bad("integer too large");
    return count;
  }

  /** A count of things that take at least `bytesEach` bytes each: so many must be left. */
  #items(bytesEach: number): number {
    const count = this.#count();
    if (count * bytesEach > this.#end - this.position) throw this.#bad(`${count} items announced, fewer bytes left`);
    return count;
  }

  #take(): Buffer {
    const length = this.#items(1);
    this.position += length;
    return this.#buffer.subarray(this.position - length, this.position);
  }

  #copy(): ArrayBuffer {
    const bytes = this.#take();
    const copy = new ArrayBuffer(bytes.length);
    new Uint8Array(copy).set(bytes);
    return copy;
  }

  #float64(): number {
    if (this.#end - this.position < 8) throw this.#bad("value ends early");
    this.position += 8;
    return this.#view.getFloat64(this.position - 8, true);
  }

  #ascii(length: number): string {
    const start = this.position;
    if (length > this.#end - start) throw this.#bad("string ends early");
    this.position = start + length;
    if (length > 12) return this.#buffer.toString("latin1", start, start + length);
    let text = "";
    for (let i = start; i < start + length; i++) text += String.fromCharCode(this.#buffer[i] as number);
    return text;
  }

  #string(): string {
    const value = this.#read();
    if (typeof value !== "string") throw this.#bad("a string was expected");
    return value;
  }

  #enter(): void {
    if (++this.#depth > tag.valueDepthMax) throw this.#bad(`more than ${tag.valueDepthMax} levels deep`);
  }

  #array(length: number): unknown[] {
    this.#enter();
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) items.push(this.#read());
    this.#depth--;
    return items;
  }

  #map(size: number): Map<unknown, unknown> {
    this.#enter();
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < size; i++) {
      const key = this.#read();
      map.set(key, this.#read());
    }
    this.#depth--;
    return map;
  }

  #set(size: number): Set<unknown> {
    this.#enter();
    const set = new Set<unknown>();
    for (let i = 0; i < size; i++) set.add(this.#read());
    this.#depth--;
    return set;
  }

  #newShape(): readonly string[] {
    const count = this.#items(2);
    if (count > tag.shapeKeysMax || this.#shapes.length >= tag.shapeCountMax) throw this.#bad("too many shapes");
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(this.#string());
    this.#shapes.push(keys);
    return keys;
  }

  #object(keys: readonly string[]): Record<string, unknown> {
    this.#enter();
    const object: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      if (key === "__proto__") define(object, key, this.#read());
      else object[key] = this.#read();
    }
    this.#depth--;
    return object;
  }

  #entries(object: Record<string, unknown>, count: number): Record<string, unknown> {
    this.#enter();
    for (let i = 0; i < count; i++) define(object, this.#string(), this.#read());
    this.#depth--;
    return object;
  }

  #error(): Error {
    this.#enter();
    const kind = this.#byte();
    if (kind >= tag.errorKinds.length) throw this.#bad("unknown kind of error");
    const [name, message, stack] = [this.#string(), this.#string(), this.#read()];
    const hasCause = this.#read();
    const options = hasCause === true ? { cause: this.#read() } : undefined;
    let error: Error;
    if (kind === tag.errorKinds.length - 1) {
      const errors = this.#read();
      if (!Array.isArray(errors)) throw this.#bad("a list of errors was expected");
      error = new AggregateError(errors, message, options);
    } else {
      error = new (tag.errorKinds[kind] as ErrorConstructor)(message, options);
    }
    if (error.name !== name) hidden(error, "name", name);
    hidden(error, "stack", typeof stack === "string" ? stack : undefined);
    this.#depth--;
    return error;
  }

  #boxed(): unknown {
    this.#enter();
    const value = this.#read();
    if (value === null || typeof value === "object" || value === undefined) throw this.#bad("nothing to box");
    this.#depth--;
    return Object(value);
  }
}

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function hidden(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true });
}
