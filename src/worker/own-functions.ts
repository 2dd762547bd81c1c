/** Public name -> function, for recipes of `own.ts`. A new shipped reader, writer or partitioner gets a line here. */
import { DiscoError } from "../errors.ts";
import { count, distinct, first, last, max, min, sum, top } from "../fn/folds.ts";
import { identity } from "../fn/identity.ts";
import { field, grep, lines, words } from "../fn/line-maps.ts";
import { externalName, externalStandIn } from "./external/stand-in.ts";
import { nopMap, nopReduce } from "./nop.ts";
import type { OwnRecipe } from "./own.ts";
import { defaultPartition, makeRangePartition } from "./partition.ts";
import { bytesReader } from "./streams/bytes.ts";
import { chainReader } from "./streams/chain.ts";
import { gzipReader, zstdReader } from "./streams/compressed.ts";
import { csvReader } from "./streams/csv.ts";
import { inflatingReader } from "./streams/inflating.ts";
import { jsonlReader } from "./streams/jsonl.ts";
import { lineReader, mapLineReader } from "./streams/lines.ts";
import { netstrReader, netstrWriter } from "./streams/netstr.ts";
import { objectReader, objectWriter } from "./streams/objects.ts";
import { reReader } from "./streams/regexp.ts";

type AnyFunction = (...args: never[]) => unknown;

const plain: Readonly<Record<string, AnyFunction>> = {
  bytesReader,
  chainReader,
  count,
  defaultPartition,
  distinct,
  [externalName]: externalStandIn,
  first,
  gzipReader,
  identity,
  inflatingReader,
  jsonlReader,
  last,
  mapLineReader,
  max,
  min,
  netstrReader,
  netstrWriter,
  nopMap,
  nopReduce,
  objectReader,
  objectWriter,
  sum,
  zstdReader,
};

const factories: Readonly<Record<string, AnyFunction>> = {
  csvReader,
  field,
  grep,
  lineReader,
  lines,
  makeRangePartition,
  reReader,
  top,
  words,
};

/** The function that a recipe stands for. Throws `DiscoError` `unknown-function`. */
export function ownFunction(recipe: OwnRecipe): AnyFunction {
  const table = recipe.args === undefined ? plain : factories;
  const found = Object.hasOwn(table, recipe.name) ? table[recipe.name] : undefined;
  if (found === undefined) {
    throw new DiscoError(`this version of disco-mapreduce has no function ${recipe.name}`, {
      code: "unknown-function",
      hint: "Run the same version of disco-mapreduce on the client and on all nodes.",
    });
  }
  if (recipe.args === undefined) return found;
  return (found as (...args: readonly unknown[]) => AnyFunction)(...recipe.args);
}
