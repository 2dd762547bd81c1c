import { hashKey } from "../protocol/hash.ts";
import { explainValue } from "../protocol/value-path.ts";

/** `hashKey` of a key as a user emitted it. @throws DiscoError `bad-value` naming what is wrong with a key that cannot be hashed. */
export function hashedKey(key: unknown, seed: number): number {
  try {
    return hashKey(key, seed);
  } catch (error) {
    // The hash does not watch its depth: a key that contains itself ends here.
    throw error instanceof RangeError ? explainValue(key, "key") : error;
  }
}
