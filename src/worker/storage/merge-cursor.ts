/**
 * Where a merge stands in one of its sources. A batch of texts is a few typed arrays: where each record begins in the merge's arena,
 * and each key's prefix, all computed when the batch comes; its strings are made only when somebody asks for them.
 */
import { compareValues } from "../../protocol/order.ts";
import { keyPrefix, textPrefix } from "../../protocol/order-prefix.ts";
import type { TextRecords } from "../../protocol/text-records.ts";
import type { SizedBatch, SortedSource } from "./batch.ts";

/** Keys that may have more bytes in common are compared by Node: a call, but eight bytes at a time. */
const longBytes = 128;

export class MergeCursor {
  at = -1;
  n = 0;
  /** Memory of its batch. */
  bytes = 0;
  /** Its batch as bytes, where it is one. */
  texts: TextRecords | null = null;
  /** Of a batch of texts. */
  starts: Uint32Array = none;
  #prefixes: Float64Array = noPrefixes;
  #batch: SizedBatch | null = null;
  readonly #source: SortedSource;
  readonly #place: Buffer | null;

  /** `place`: memory that the source may leave a batch of texts in. */
  constructor(source: SortedSource, place: Buffer | null) {
    this.#source = source;
    this.#place = place;
  }

  /** Takes the source's next batch; `false` at its end. */
  refill(): boolean {
    const batch = this.#source.next(this.#place);
    this.#batch = batch;
    this.texts = null;
    if (batch === null) return false;
    this.at = 0;
    this.n = batch.n;
    this.bytes = batch.bytes ?? 0;
    if (batch.texts !== undefined) this.#index(batch.texts);
    return true;
  }

  /** Of the current record. */
  get key(): unknown {
    const { texts } = this;
    if (texts === null) return (this.#batch as SizedBatch).keys[this.at];
    const start = this.starts[this.at] as number;
    return texts.bytes.toString("latin1", start, start + this.#keyLength(texts));
  }

  /** All keys and values of its batch. */
  get batch(): SizedBatch {
    return this.#batch as SizedBatch;
  }

  get prefix(): number {
    if (this.texts !== null) return this.#prefixes[this.at] as number;
    return keyPrefix((this.#batch as SizedBatch).keys[this.at]);
  }

  /** Negative, 0 or positive, as the keys of the current records are. */
  compare(other: MergeCursor): number {
    const { texts } = this;
    if (texts === null || other.texts === null) return compareValues(this.key, other.key);
    const a = this.starts[this.at] as number;
    const b = other.starts[other.at] as number;
    const aLength = this.#keyLength(texts);
    const bLength = other.#keyLength(other.texts);
    const length = Math.min(aLength, bLength);
    const x = texts.bytes;
    const y = other.texts.bytes;
    if (length > longBytes) return x.compare(y, b, b + bLength, a, a + aLength);
    for (let i = 0; i < length; i++) {
      const difference = (x[a + i] as number) - (y[b + i] as number);
      if (difference !== 0) return difference;
    }
    return aLength - bLength;
  }

  #keyLength(texts: TextRecords): number {
    return (texts.keyMarks[this.at] as number) >>> 1;
  }

  #index(texts: TextRecords): void {
    this.texts = texts;
    const starts = texts.starts();
    this.starts = starts;
    const prefixes = new Float64Array(texts.count);
    for (let i = 0; i < texts.count; i++) {
      prefixes[i] = textPrefix(texts.bytes, starts[i] as number, (texts.keyMarks[i] as number) >>> 1);
    }
    this.#prefixes = prefixes;
  }
}

const none = new Uint32Array(0);
const noPrefixes = new Float64Array(0);
