/**
 * What P9 is measured by: the same result files, read into memory before the clock starts, decoded block by block and looked at
 * record by record. Arguments: how (`each`: in a plain loop; `array`: all pairs in an array first, as `toArray` has them; `await`: by
 * the cheapest asynchronous iterator that there is, which awaits nothing but what `for await` itself does), the files.
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

/** An iterator with nothing to wait for: a resolved promise a record. */
function cheapest(): AsyncIterator<[string, number]> {
  const source = blocks();
  let keys: string[] = [];
  let values: number[] = [];
  let at = 0;
  return {
    next() {
      if (at === keys.length) {
        const block = source.next();
        if (block.done === true) return Promise.resolve({ done: true, value: undefined });
        [keys, values] = block.value;
        at = 0;
      }
      const pair: [string, number] = [keys[at] as string, values[at] as number];
      at += 1;
      return Promise.resolve({ done: false, value: pair });
    },
  };
}

const cpuBefore = process.cpuUsage();
const started = performance.now();
if (kind === "await") {
  for await (const pair of { [Symbol.asyncIterator]: cheapest }) look(pair);
} else if (kind === "array") {
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
const cpu = process.cpuUsage(cpuBefore);
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(JSON.stringify({ seconds, cpuSeconds, records, sum, units }));
