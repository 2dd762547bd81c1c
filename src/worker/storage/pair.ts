/** Entries of user streams that ought to be records. */
import { inspect } from "node:util";
import { DataError } from "../../errors.ts";

/** @throws DataError `bad-pair` saying what came instead. */
export function asPair(entry: unknown): readonly [unknown, unknown] {
  if (Array.isArray(entry) && entry.length === 2) return entry as unknown as readonly [unknown, unknown];
  const shown = inspect(entry, {
    depth: 1,
    maxArrayLength: 5,
    maxStringLength: 80,
    breakLength: Number.POSITIVE_INFINITY,
  });
  throw new DataError(`a [key, value] pair was expected, got ${shown}`, {
    code: "bad-pair",
    retry: "never",
    hint: "Use a reader that gives [key, value] pairs, such as chainReader.",
  });
}
