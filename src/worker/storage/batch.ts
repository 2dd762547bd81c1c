/**
 * How records move inside a worker: by batches of two parallel arrays. User functions see `Records`, an ordinary iterator of
 * pairs over a source of batches; Disco's own code (`kvgroup`, writers) takes the batches and makes no pairs at all.
 */
import type { TextRecords } from "../../protocol/text-records.ts";

/**
 * `n` records of two parallel arrays. Arrays may be longer, and belong to the receiver. A batch of texts makes its arrays when they are
 * first asked for: that must be before the next batch is.
 */
export interface Batch {
  readonly keys: readonly unknown[];
  readonly values: readonly unknown[];
  readonly n: number;
  /** The same records as bytes, valid until the next batch is asked for. */
  readonly texts?: TextRecords;
}

export interface SizedBatch extends Batch {
  /** Memory of its records, about; unknown: small. */
  readonly bytes?: number;
}

/** A sorted source of a merge: batches whose keys ascend, within each and from one to the next. */
export interface SortedSource {
  /** The next batch; `null` at the end. One of texts may lie in `place`, until the next is asked for. */
  next(place: Buffer | null): SizedBatch | null;
}

/** Records as bytes; the arrays of strings are made at the first look at them. */
export class TextBatch implements SizedBatch {
  readonly texts: TextRecords;
  readonly n: number;
  readonly bytes: number;
  #strings: [string[], string[]] | null = null;

  constructor(texts: TextRecords, bytes: number) {
    this.texts = texts;
    this.n = texts.count;
    this.bytes = bytes;
  }

  get keys(): string[] {
    this.#strings ??= this.texts.strings();
    return this.#strings[0];
  }

  get values(): string[] {
    this.#strings ??= this.texts.strings();
    return this.#strings[1];
  }
}

/** Where batches come from. Everything is synchronous: a source blocks until it has a batch. */
export interface BatchSource {
  /** The next batch, never empty; `null` at the end. */
  nextBatch(): Batch | null;
  /** Gives back files and memory; harmless when called again. */
  close(): void;
}

/** Pairs over a source of batches, with all methods of an iterator (`map`, `filter`, `take` …). */
export class Records<K = unknown, V = unknown> extends Iterator<[K, V], undefined, unknown> implements BatchSource {
  readonly #source: BatchSource;
  #keys: readonly unknown[] = [];
  #values: readonly unknown[] = [];
  #at = 0;
  #n = 0;

  constructor(source: BatchSource) {
    super();
    this.#source = source;
  }

  override next(): IteratorResult<[K, V], undefined> {
    if (this.#at === this.#n && !this.#refill()) return { done: true, value: undefined };
    const at = this.#at++;
    return { done: false, value: [this.#keys[at] as K, this.#values[at] as V] };
  }

  /** The rest of the batch that `next` is in, or the next one. */
  nextBatch(): Batch | null {
    if (this.#at === this.#n) return this.#source.nextBatch();
    const at = this.#at;
    this.#at = this.#n;
    if (at === 0) return { keys: this.#keys, values: this.#values, n: this.#n };
    return { keys: this.#keys.slice(at, this.#n), values: this.#values.slice(at, this.#n), n: this.#n - at };
  }

  /** Called by `for … of` when it is left early. */
  override return(): IteratorResult<[K, V], undefined> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#at = 0;
    this.#n = 0;
    this.#keys = [];
    this.#values = [];
    this.#source.close();
  }

  #refill(): boolean {
    const batch = this.#source.nextBatch();
    this.#at = 0;
    if (batch === null) {
      this.#n = 0;
      return false;
    }
    this.#keys = batch.keys;
    this.#values = batch.values;
    this.#n = batch.n;
    return true;
  }
}

/** Batches that are in memory already. */
export class ArraySource implements BatchSource {
  #keys: readonly unknown[] | null;
  #values: readonly unknown[];

  constructor(keys: readonly unknown[], values: readonly unknown[]) {
    this.#keys = keys.length > 0 ? keys : null;
    this.#values = values;
  }

  nextBatch(): Batch | null {
    if (this.#keys === null) return null;
    const batch = { keys: this.#keys, values: this.#values, n: this.#keys.length };
    this.close();
    return batch;
  }

  close(): void {
    this.#keys = null;
    this.#values = [];
  }
}
