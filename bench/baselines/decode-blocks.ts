/**
 * What P9 is measured by: the same result files, read into memory before the clock starts, decoded block by block and looked at
 * record by record. Arguments: `each` or `array` (all pairs in an array first, as `toArray` has them), the files.
 */
import { readFileSync } from "node:fs";
import { decodeBlock } from "../../src/protocol/block.ts";

const [kind, ...files] = process.argv.slice(2);
const contents = files.map((file) => readFileSync(file));
let records = 0;
let sum = 0;
let units = 0;

function look([key, value]: [string, number]): void {
  records += 1;
  sum += value;
  units += key.length;
}

function* blocks(): Generator<[keys: string[], values: number[]]> {
  for (const bytes of contents) {
    for (let at = 0; at < bytes.length; ) {
      const block = decodeBlock(bytes, at);
      yield [block.keys as string[], block.values as number[]];
      at += block.length;
    }
  }
}

const started = performance.now();
if (kind === "array") {
  const pairs: [string, number][] = [];
  for (const [keys, values] of blocks()) {
    for (let i = 0; i < keys.length; i++) pairs.push([keys[i] as string, values[i] as number]);
  }
  for (const pair of pairs) look(pair);
} else {
  for (const [keys, values] of blocks()) {
    for (let i = 0; i < keys.length; i++) look([keys[i] as string, values[i] as number]);
  }
}
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ seconds, records, sum, units }));
