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
import type { PairWriter } from "./emit.ts";
import { entryBytes, FlushRhythm } from "./flush-rhythm.ts";
import { roughBytes } from "./rough-size.ts";

/** How many partitions there are, and the hash that decides. */
export interface HashPartition {
  readonly partitions: number;
  hash(key: unknown): number;
}

export class KeyCombiner {
  readonly #fn: CombinerFn;
  readonly #params: unknown;
  readonly #writer: PairWriter;
  readonly #partition: HashPartition;
  readonly #rhythm: FlushRhythm;
  readonly #buffer = new KeyBuffer();
  /** From the first key on that is no plain value. */
  #general: Combiner | null = null;

  constructor(fn: CombinerFn, params: unknown, writer: PairWriter, budgetBytes: number, partition: HashPartition) {
    this.#fn = fn;
    this.#params = params;
    this.#writer = writer;
    this.#partition = partition;
    this.#rhythm = new FlushRhythm(budgetBytes);
  }

  add(key: unknown, value: unknown): void {
    if (this.#general !== null || (typeof key !== "string" && !isPlain(key))) {
      this.#addGenerally(key, value);
      return;
    }
    const buffer = this.#buffer;
    buffer.isFound = false;
    const result = this.#fn(key, value, buffer as unknown as Map<unknown, unknown>, false, this.#params);
    if (result !== undefined && result !== buffer) this.#emit(key, result);
    if (this.#rhythm.tick(key, value)) this.#check();
  }

  /** Ends what the buffer holds. It may be filled again. */
  flush(): void {
    if (this.#general !== null) {
      this.#general.flush();
      return;
    }
    const { entries } = this.#buffer;
    const writer = this.#writer;
    if (this.#partition.partitions === 1) {
      for (const { key, value } of entries.values()) writer.add(0, key, value, unknownHash);
    } else {
      this.#eachByPartition((partition, { key, value, hash }) => writer.add(partition, key, value, hash >>> 0));
    }
    entries.clear();
    this.#rhythm.flushed();
  }

  #emit(key: unknown, result: unknown): void {
    // What `b.has(key)` evaluates to is no output: no need to hash for it.
    if (typeof result === "boolean" || result === null) return;
    emitCombined(result, this.#partitionOf(key), this.#writer, this.#rhythm.pairsMax);
  }

  #partitionOf(key: unknown): number {
    const { partitions } = this.#partition;
    return partitions === 1 ? 0 : this.#partition.hash(key) % partitions;
  }

  /** All entries, partition by partition, in each in the order in which their keys came. */
  #eachByPartition(visit: (partition: number, entry: Entry) => void): void {
    const { partitions } = this.#partition;
    const lists: Entry[][] = Array.from({ length: partitions }, () => []);
    for (const entry of this.#buffer.entries.values()) {
      const hash = this.#partition.hash(entry.key);
      entry.hash = hash | 0;
      (lists[hash % partitions] as Entry[]).push(entry);
    }
    for (const [partition, list] of lists.entries()) for (const entry of list) visit(partition, entry);
  }

  #addGenerally(key: unknown, value: unknown): void {
    this.#general ??= this.#handOver();
    this.#general.add(this.#partitionOf(key), key, value, unknownHash);
  }

  #handOver(): Combiner {
    const general = new Combiner(this.#fn, this.#params, this.#writer, this.#rhythm);
    this.#eachByPartition((partition, { key, value }) => general.adopt(partition, key, value));
    this.#buffer.entries.clear();
    return general;
  }

  #check(): void {
    const { entries } = this.#buffer;
    let bytes = 0;
    for (const { key, value } of entries.values()) {
      bytes += roughBytes(key) + roughBytes(value) + entryBytes;
      if (bytes > this.#rhythm.fullBytes) break;
    }
    if (this.#rhythm.measured(bytes, entries.size)) this.flush();
  }
}

/** Has a hash, and the same one for ever. */
function isPlain(key: unknown): boolean {
  const type = typeof key;
  return type === "object" ? key === null : type !== "function" && type !== "symbol";
}

class Entry {
  readonly key: unknown;
  value: unknown;
  /** An int32: as a uint32 it would be a number on the heap. */
  hash = 0;

  constructor(key: unknown, value: unknown) {
    this.key = key;
    this.value = value;
  }
}

/** What such a combiner may call of a `Map`. */
class KeyBuffer {
  readonly entries = new Map<unknown, Entry>();
  /** Whether `#entry` is of the key of this call. */
  isFound = false;
  #entry: Entry | undefined;

  get(key: unknown): unknown {
    return this.#find(key)?.value;
  }

  has(key: unknown): boolean {
    return this.#find(key) !== undefined;
  }

  set(key: unknown, value: unknown): this {
    const entry = this.#find(key);
    if (entry !== undefined) {
      entry.value = value;
    } else {
      // A map makes 0 of -0.
      const created = new Entry(key === 0 ? 0 : key, value);
      this.entries.set(key, created);
      this.#entry = created;
    }
    return this;
  }

  delete(key: unknown): boolean {
    this.isFound = true;
    this.#entry = undefined;
    return this.entries.delete(key);
  }

  #find(key: unknown): Entry | undefined {
    if (!this.isFound) {
      this.#entry = this.entries.get(key);
      this.isFound = true;
    }
    return this.#entry;
  }
}
