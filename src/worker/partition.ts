import { DiscoError } from "../errors.ts";
import { hashKey } from "../protocol/hash.ts";
import { own, ownFactory } from "./own.ts";

/**
 * Partition of a key by a stable hash of its value: the same on every machine and for every equal key. The engine's default
 * is the same function with the job's `seed`.
 */
export const defaultPartition = own(
  "defaultPartition",
  (key: unknown, nrPartitions: number): number => hashKey(key, 0) % nrPartitions,
);

/**
 * A partitioner that divides the numbers `min` … `max` (both included) into ranges of equal width, so that partition i holds
 * smaller keys than partition i + 1. Keys outside go to the first or the last partition.
 */
export function makeRangePartition(min: number, max: number): (key: number, nrPartitions: number) => number {
  if (!(Number.isFinite(min) && Number.isFinite(max) && min < max)) {
    throw new DiscoError(`makeRangePartition(${min}, ${max}): two finite numbers, min below max, were expected`, {
      code: "bad-option",
    });
  }
  const width = max - min;
  const partition = (key: number, nrPartitions: number): number => {
    // NaN stays NaN: the engine then names the key that belongs nowhere.
    const at = Math.floor(((key - min) / width) * nrPartitions);
    return at < 0 ? 0 : at >= nrPartitions ? nrPartitions - 1 : at;
  };
  return own("makeRangePartition", partition, [min, max]);
}
ownFactory(makeRangePartition, "makeRangePartition(min, max)");
