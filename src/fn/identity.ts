import { own } from "../worker/own.ts";
import type { Identity } from "./fold-type.ts";
import { noPairs } from "./no-pairs.ts";

/**
 * Passes pairs on: a map for readers whose entries are pairs (the seed's `nop_map`), a reduce that only gathers or sorts (the seed's
 * `nop_reduce`), a combiner that combines nothing. For lines of text, which are no pairs, there is `lines()`.
 */
export const identity = own("identity", (...args: readonly unknown[]): unknown => {
  if (args.length === 0) throw noPairs("identity", args);
  const [entry, value, buffer, done] = args;
  if (buffer instanceof Map) return done === true ? undefined : [[entry, value]];
  if (Array.isArray(entry)) return [entry];
  return entry;
}) as Identity;
