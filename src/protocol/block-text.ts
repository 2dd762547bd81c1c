/**
 * The text of records that wait to be written: bytes behind each other in one growing buffer, a record's key before its value.
 * Bytes survive no garbage collection, strings in arrays survive several: that was a quarter of a sort's time.
 *
 * How a string becomes bytes, for 89 units a record (ns): unit by unit 280, one `write` each 70, joined with 255 others and then
 * written at once 45. Up to about 16 units the loop is the fastest. So short strings are written at once and longer ones are
 * staged; while any are staged, all are, since the order in the buffer says which text belongs to which record.
 *
 * A string has a mark: twice its length in units, plus one if it is wide (two bytes a unit, else one).
 */

/** Longer strings are staged. */
const shortUnits = 16;
const startBytes = 4 * 1024;
/** The buffer doubles up to this size, and then has all the memory that it may need: what is not touched is not there. */
const doubledBytesMax = 1024 * 1024;

const wide = /[\u0100-\uffff]/;

export class TextBuffer {
  bytes: Buffer = Buffer.alloc(0);
  /** Bytes of text. */
  length = 0;
  /** Any string is wide. */
  hasWide = false;
  /** Units staged since `settled`, also those that have been written in between. */
  stagedUnits = 0;
  #staged: string[] = [];
  #places: number[] = [];
  readonly #budgetBytes: number;

  /** `budgetBytes`: text that is expected at most. */
  constructor(budgetBytes = 0) {
    this.#budgetBytes = budgetBytes;
  }

  /** Makes room for so many bytes behind the text. */
  ensure(room: number): void {
    const needed = this.length + room;
    const { bytes } = this;
    if (needed <= bytes.length) return;
    const doubled = Math.max(startBytes, bytes.length * 2);
    const size = doubled <= doubledBytesMax ? doubled : Math.max(this.#budgetBytes, bytes.length + bytes.length / 4);
    this.bytes = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(size)));
    // All of it: a block may be in the making behind the text.
    bytes.copy(this.bytes);
    free(bytes);
  }

  /** Appends a string and returns its mark, or stages it: then the mark is that of a narrow one until `drain`. */
  append(text: string, place: number): number {
    const { length } = text;
    if (length > shortUnits || this.stagedUnits > 0) {
      this.#staged.push(text);
      this.#places.push(place);
      this.stagedUnits += length;
      return length * 2;
    }
    return this.appendNow(text);
  }

  /** Appends a string unit by unit and returns its mark. Nothing may be staged. */
  appendNow(text: string): number {
    const { length } = text;
    if (this.length + length > this.bytes.length) this.ensure(length);
    const { bytes } = this;
    let at = this.length;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      bytes[at++] = unit;
    }
    if (seen > 0xff) return this.#appendWide(text);
    this.length = at;
    return length * 2;
  }

  /** Writes what is staged. `found` is told the place and the units of each string that is wide. */
  drain(found: (place: number, units: number) => void): void {
    const staged = this.#staged;
    const places = this.#places;
    if (staged.length === 0) return;
    this.#staged = [];
    this.#places = [];
    const all = staged.length === 1 ? (staged[0] as string) : staged.join("");
    if (!wide.test(all)) {
      this.#appendNarrow(all);
      return;
    }
    for (let i = 0; i < staged.length; i++) {
      const text = staged[i] as string;
      if (wide.test(text)) {
        this.#appendWide(text);
        found(places[i] as number, text.length);
      } else {
        this.#appendNarrow(text);
      }
    }
  }

  /** Appends bytes of another buffer. */
  copyFrom(other: Uint8Array, from: number, to: number): void {
    this.ensure(to - from);
    this.bytes.set(other.subarray(from, to), this.length);
    this.length += to - from;
  }

  /** Forgets the text, and keeps the memory. */
  clear(): void {
    this.length = 0;
    this.hasWide = false;
    this.#staged = [];
    this.#places = [];
    this.stagedUnits = 0;
  }

  /** All is written: short strings need not be staged for now. */
  settled(): void {
    this.stagedUnits = 0;
  }

  /** Gives the memory back. */
  release(): void {
    this.clear();
    free(this.bytes);
    this.bytes = Buffer.alloc(0);
  }

  #appendNarrow(text: string): void {
    this.ensure(text.length);
    this.length += this.bytes.write(text, this.length, text.length, "latin1");
  }

  #appendWide(text: string): number {
    this.hasWide = true;
    this.ensure(text.length * 2);
    this.length += this.bytes.write(text, this.length, text.length * 2, "utf16le");
    return text.length * 2 + 1;
  }
}

/** Bytes of a string with this mark. */
export function markBytes(mark: number): number {
  return (mark & 1) === 0 ? mark >>> 1 : mark - 1;
}

/** Gives the memory of an array back at once: the collector would do so some time. The array is empty then. */
export function free(array: Uint8Array | Uint32Array | Float64Array): void {
  (array.buffer as ArrayBuffer).transfer(0);
}

/** An array of twice the length, at least `startRecords`, with the same contents; the old one is freed. */
export function grownUint32(array: Uint32Array): Uint32Array {
  const grown = new Uint32Array(Math.max(startRecords, array.length * 2));
  grown.set(array);
  free(array);
  return grown;
}

export function grownFloat64(array: Float64Array): Float64Array {
  const grown = new Float64Array(Math.max(startRecords, array.length * 2));
  grown.set(array);
  free(array);
  return grown;
}

/** Records that arrays have room for at first. */
const startRecords = 512;
