/**
 * Records whose keys and values are narrow strings (a byte a unit), as bytes: in the layout of a block's text, record by record,
 * the key's before the value's. Where nobody looks at them they go from file to file without ever being strings.
 */
import { DataError } from "../errors.ts";

export class TextRecords {
  /** The text lies in here … */
  readonly bytes: Buffer;
  /** … from this byte on. */
  readonly from: number;
  /** Twice the length of each key, as in `block-text.ts`. */
  readonly keyMarks: Uint32Array;
  readonly valueMarks: Uint32Array;
  /** Records; the arrays may be longer. */
  readonly count: number;

  constructor(bytes: Buffer, from: number, keyMarks: Uint32Array, valueMarks: Uint32Array, count: number) {
    this.bytes = bytes;
    this.from = from;
    this.keyMarks = keyMarks;
    this.valueMarks = valueMarks;
    this.count = count;
  }

  /** Bytes of the text of record `i`. */
  length(i: number): number {
    return ((this.keyMarks[i] as number) + (this.valueMarks[i] as number)) >>> 1;
  }

  /** Where record `i` begins, and at `count` where the last one ends. */
  start(i: number): number {
    let at = this.from;
    for (let j = 0; j < i; j++) at += this.length(j);
    return at;
  }

  /** Where each record begins, and where the last one ends. */
  starts(): Uint32Array {
    const starts = new Uint32Array(this.count + 1);
    let at = this.from;
    for (let i = 0; i < this.count; i++) {
      starts[i] = at;
      at += this.length(i);
    }
    starts[this.count] = at;
    return starts;
  }

  /** All keys and all values; they refer to the bytes no more. */
  strings(): [keys: string[], values: string[]] {
    const { count, keyMarks, valueMarks } = this;
    const keys = new Array<string>(count);
    const values = new Array<string>(count);
    const end = this.start(count);
    const text = this.bytes.toString("latin1", this.from, end);
    if (text.length !== end - this.from) {
      throw new DataError("records were asked for after they were given back", { code: "bad-block" });
    }
    let at = 0;
    for (let i = 0; i < count; i++) {
      const middle = at + ((keyMarks[i] as number) >>> 1);
      const next = middle + ((valueMarks[i] as number) >>> 1);
      keys[i] = text.substring(at, middle);
      values[i] = text.substring(middle, next);
      at = next;
    }
    return [keys, values];
  }
}
