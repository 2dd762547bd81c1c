/** A buffer that grows as it is written to: the bytes under a `ValueWriter`. */
import { valueBytesMax } from "./value-tags.ts";

/** Memory of a buffer that has not grown. */
const smallBytes = 256;

export class GrowingBytes {
  /** Bytes written so far. */
  length = 0;
  buffer: Buffer;
  #view: DataView;

  constructor(capacity = smallBytes) {
    this.buffer = Buffer.allocUnsafeSlow(capacity);
    this.#view = new DataView(this.buffer.buffer);
  }

  /** Gives the memory back after something large. */
  release(): void {
    this.length = 0;
    this.buffer = Buffer.allocUnsafeSlow(smallBytes);
    this.#view = new DataView(this.buffer.buffer);
  }

  /** Makes room for so many bytes more; `buffer` may be another one then. */
  ensure(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    if (needed > valueBytesMax + 1024) throw tooLarge;
    const buffer = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.buffer.length * 2, valueBytesMax)));
    this.buffer.copy(buffer, 0, 0, this.length);
    this.buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }

  byte(byte: number): void {
    this.ensure(1);
    this.buffer[this.length++] = byte;
  }

  /** A non-negative integer as LEB128. */
  count(count: number): void {
    this.ensure(8);
    let rest = count;
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest = rest >= 0x80000000 ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.buffer[this.length++] = rest;
  }

  float64(value: number): void {
    this.ensure(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Length and contents. */
  bytes(bytes: Uint8Array): void {
    this.count(bytes.length);
    this.ensure(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
}

/** Thrown for a value above `valueBytesMax`; the writer says of which. */
export const tooLarge = new Error("too large");
