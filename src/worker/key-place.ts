/** Where a key goes: for those who emit a key once that came often, and so look for its partition once. */
import { hashKey, unknownHash } from "../protocol/hash.ts";
import type { EmitPlan, PairWriter } from "./emit.ts";
import { checkedPartition } from "./emit.ts";
import { hashedKey } from "./key-hash.ts";

export class PlacedWriter {
  readonly #plan: EmitPlan;
  readonly #writer: PairWriter;
  /** Set by `place`. */
  partition = 0;
  /** Set by `place`: as `PairWriter.add` takes it. */
  hash = unknownHash;

  constructor(plan: EmitPlan, writer: PairWriter) {
    this.#plan = plan;
    this.#writer = writer;
  }

  /** Sets `partition` and `hash`. @throws DiscoError `bad-partition` */
  place(key: unknown, known = unknownHash): void {
    const { partitions, label, partition, seed, params } = this.#plan;
    this.hash = known;
    if (partitions === null) {
      this.partition = label;
    } else if (partition !== null) {
      this.partition = checkedPartition(partition(key, partitions, params), partitions, key);
    } else {
      if (known === unknownHash) this.hash = typeof key === "string" ? hashKey(key, seed) : hashedKey(key, seed);
      this.partition = this.hash % partitions;
    }
  }

  /** Writes a pair where its key belongs. `known`: `hashKey(key, seed)`, if the caller has it. */
  add(key: unknown, value: unknown, known = unknownHash): void {
    this.place(key, known);
    this.#writer.add(this.partition, key, value, this.hash);
  }

  /** Writes a pair where `place` has put its key. */
  write(partition: number, key: unknown, value: unknown, hash: number): void {
    this.#writer.add(partition, key, value, hash);
  }
}
