/**
 * From a pair that a function emitted to the writer: partition, then combine, then write. Composed once a task, so that a
 * pair passes only the steps that its job has.
 */
import { DiscoError } from "../errors.ts";
import { unknownHash } from "../protocol/hash.ts";
import { Combiner, type CombinerFn } from "./combine.ts";
import { KeyCombiner } from "./combine-by-key.ts";
import { describe } from "./describe.ts";
import { FlushRhythm } from "./flush-rhythm.ts";
import { combinerFold, FoldCombiner } from "./fold/fold-combiner.ts";
import { hashedKey } from "./key-hash.ts";
import { PlacedWriter } from "./key-place.ts";
import { ownRecipe } from "./own.ts";
import type { Batch } from "./storage/batch.ts";

export interface Emit {
  (key: unknown, value: unknown): void;
  /** All records of a batch at once: where their keys need not be looked at. */
  readonly batch?: (batch: Batch) => void;
}

/**
 * Where pairs go in the end. `partition` is a number below `partitions`, or the task's label. `hash` is `hashKey(key, seed)`
 * where somebody has computed it, else `unknownHash`: it saves the writer time, and changes nothing in what is written.
 */
export interface PairWriter {
  add(partition: number, key: unknown, value: unknown, hash: number): void;
  /** Adds all records of a batch; a writer that makes something else of records has none. */
  readonly addBatch?: ((partition: number, batch: Batch) => void) | undefined;
}

export type PartitionFn = (key: unknown, nrPartitions: number, params: unknown) => unknown;

export interface EmitPlan {
  readonly partitions: number | null;
  /** The task's own label, for output that is not partitioned. */
  readonly label: number;
  readonly partition: PartitionFn | null;
  readonly combiner: CombinerFn | null;
  /** The combiner asks its buffer only for its own key. Default: unknown, which is as good as no. */
  readonly combinerByKey?: boolean;
  readonly seed: number;
  readonly params: unknown;
  /** What a combiner's buffers may hold, in bytes, roughly. */
  readonly budgetBytes: number;
}

export interface Emitter {
  readonly emit: Emit;
  /** Empties the combiner's buffers. */
  flush(): void;
}

export function makeEmitter(plan: EmitPlan, writer: PairWriter): Emitter {
  const fold = combinerFold(plan.combiner);
  if (fold !== null) {
    const combiner = new FoldCombiner(fold, new PlacedWriter(plan, writer), plan);
    return { emit: (key, value) => combiner.add(key, value), flush: () => combiner.flush() };
  }
  if (ownRecipe(plan.combiner)?.name === "identity") return makeEmitter({ ...plan, combiner: null }, writer);
  const { partitions, label, partition, seed, params } = plan;
  // Labels may be large numbers, partitions of a combiner are small ones: output with one label is partition 0 until written.
  const end: PairWriter =
    partitions === null ? { add: (_, key, value, hash) => writer.add(label, key, value, hash) } : writer;
  if (plan.combiner !== null && plan.combinerByKey === true && (partition === null || partitions === null)) {
    const byHash = { partitions: partitions ?? 1, seed, hash: (key: unknown) => hashedKey(key, seed) };
    const combiner = new KeyCombiner(plan.combiner, params, end, plan.budgetBytes, byHash);
    return { emit: combiner.emit, flush: () => combiner.flush() };
  }
  const combiner =
    plan.combiner === null ? null : new Combiner(plan.combiner, params, end, new FlushRhythm(plan.budgetBytes));
  const to: PairWriter = combiner ?? end;
  const flush = (): void => combiner?.flush();
  if (partitions === null || (partitions === 1 && partition === null)) {
    const emit = (key: unknown, value: unknown): void => to.add(0, key, value, unknownHash);
    const { addBatch } = writer;
    if (combiner !== null || addBatch === undefined) return { emit, flush };
    return {
      emit: Object.assign(emit, { batch: (batch: Batch) => addBatch(partitions === null ? label : 0, batch) }),
      flush,
    };
  }
  if (partition !== null) {
    return {
      emit: (key, value) =>
        to.add(checkedPartition(partition(key, partitions, params), partitions, key), key, value, unknownHash),
      flush,
    };
  }
  return {
    emit: (key, value) => {
      const hash = hashedKey(key, seed);
      to.add(hash % partitions, key, value, hash);
    },
    flush,
  };
}

export function checkedPartition(partition: unknown, partitions: number, key: unknown): number {
  // An unsigned 32-bit integer is exactly what >>> does not change.
  if ((partition as number) >>> 0 === partition && partition < partitions) return partition;
  throw new DiscoError(
    `partition returned ${describe(partition)} for the key ${describe(key)}: an integer from 0 to ${partitions - 1} was expected`,
    { code: "bad-partition" },
  );
}
