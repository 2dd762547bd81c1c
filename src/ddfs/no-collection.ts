/** Of a master that collects nothing: what is asked of garbage collection there. */
import { DiscoError } from "../errors.ts";
import type { Collection } from "./ddfs.ts";

export function noCollection(): Collection {
  const refuse = async (): Promise<never> => {
    throw new DiscoError("this master collects no garbage", { code: "not-yet" });
  };
  return {
    gcStart: refuse,
    gcStatus: refuse,
    gcStats: refuse,
    safeGcBlacklist: refuse,
    scrubStart: refuse,
    scrubStatus: refuse,
    fsck: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
  };
}
