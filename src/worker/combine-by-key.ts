/**
 * A combiner that asks its buffer only for the key that it was called with (`b.get(key)`, `b.set(key, …)`; found out when the job is
 * submitted, `shipping/key-buffer.ts`) cannot tell one buffer a partition from one for all. So there is one:
 *
 * 1. The partition of a key is computed when the buffer is emptied, once a key and not once a pair.
 * 2. The buffer looks a key up once a call. `get` remembers where it found it, `set` writes there.
 * 3. What goes out is what `Combiner` would have written, call by call: partition by partition, in each the keys in the order in
 *    which they came. Keys that can change, or that have no hash, are its business: with the first one all goes to a `Combiner`.
 */
import { unknownHash } from "../protocol/hash.ts";
import { Combiner, type CombinerFn, emitCombined } from "./combine.ts";
import type { Emit, PairWriter } from "./emit.ts";
import { entryBytes, FlushRhythm } from "./flush-rhythm.ts";
import { KeyBuffer } from "./key-buffer.ts";
import { roughBytes } from "./rough-size.ts";

/** A key's partition is its hash modulo `partitions`. */
export interface HashPartition {
  readonly partitions: number;
  readonly seed: number;
  /** `hashKey` with `seed`, which says what is wrong with a key that has none. */
  hash(key: unknown): number;
}

export class KeyCombiner {
  readonly #fn: CombinerFn;
  readonly #params: unknown;
  readonly #writer: PairWriter;
  readonly #partitions: number;
  readonly #hash: (key: unknown) => number;
  readonly #rhythm: FlushRhythm;
  readonly #buffer: KeyBuffer;
  /** From the first key on that is no plain value. */
  #general: Combiner | null = null;

  constructor(
    fn: CombinerFn,
    params: unknown,
    writer: PairWriter,
    budgetBytes: number,
    { partitions, seed, hash }: HashPartition,
  ) {
    this.#fn = fn;
    this.#params = params;
    this.#writer = writer;
    this.#partitions = partitions;
    this.#hash = hash;
    this.#buffer = new KeyBuffer(seed);
    this.#rhythm = new FlushRhythm(budgetBytes);
  }

  readonly emit: Emit = (key, value) => {
    if (this.#general !== null || (typeof key !== "string" && !isPlain(key))) {
      this.#addGenerally(key, value);
      return;
    }
    const buffer = this.#buffer;
    buffer.begin();
    const result = this.#fn(key, value, buffer as unknown as Map<unknown, unknown>, false, this.#params);
    if (result !== undefined && result !== buffer) this.#emit(key, result);
    if (this.#rhythm.tick(key, value)) this.#check();
  };

  /** Ends what the buffer holds. It may be filled again. */
  flush(): void {
    if (this.#general !== null) {
      this.#general.flush();
      return;
    }
    this.#eachByPartition((partition, key, value, hash) => this.#writer.add(partition, key, value, hash));
    this.#buffer.clear();
    this.#rhythm.flushed();
  }

  #emit(key: unknown, result: unknown): void {
    // What `b.has(key)` evaluates to is no output: no need to hash for it.
    if (typeof result === "boolean" || result === null) return;
    emitCombined(result, this.#partitionOf(key), this.#writer, this.#rhythm.pairsMax);
  }

  #partitionOf(key: unknown): number {
    return this.#partitions === 1 ? 0 : this.#hash(key) % this.#partitions;
  }

  /** All entries, partition by partition, in each in the order in which their keys came. */
  #eachByPartition(visit: (partition: number, key: unknown, value: unknown, hash: number) => void): void {
    const partitions = this.#partitions;
    if (partitions === 1) {
      this.#buffer.forEach((key, value, hash) => visit(0, key, value, hash));
      return;
    }
    const lists = Array.from({ length: partitions }, () => ({ keys: [] as unknown[], values: [] as unknown[] }));
    const hashes = Array.from({ length: partitions }, (): number[] => []);
    this.#buffer.forEach((key, value, hash) => {
      const partition = hash % partitions;
      const list = lists[partition] as (typeof lists)[number];
      list.keys.push(key);
      list.values.push(value);
      (hashes[partition] as number[]).push(hash);
    });
    for (const [partition, { keys, values }] of lists.entries()) {
      for (const [i, key] of keys.entries())
        visit(partition, key, values[i], (hashes[partition] as number[])[i] as number);
    }
  }

  #addGenerally(key: unknown, value: unknown): void {
    this.#general ??= this.#handOver();
    this.#general.add(this.#partitionOf(key), key, value, unknownHash);
  }

  #handOver(): Combiner {
    const general = new Combiner(this.#fn, this.#params, this.#writer, this.#rhythm);
    this.#eachByPartition((partition, key, value) => general.adopt(partition, key, value));
    this.#buffer.clear();
    return general;
  }

  #check(): void {
    let bytes = 0;
    this.#buffer.forEach((key, value) => {
      bytes += roughBytes(key) + roughBytes(value) + entryBytes;
    });
    if (this.#rhythm.measured(bytes, this.#buffer.size)) this.flush();
  }
}

/** Has a hash, and the same one for ever. */
function isPlain(key: unknown): boolean {
  const type = typeof key;
  return type === "object" ? key === null : type !== "function" && type !== "symbol";
}
