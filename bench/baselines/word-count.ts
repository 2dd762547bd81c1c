/**
 * The bare loop: what somebody writes by hand for this one machine. Two processes, a `Map` each, the same functions as
 * the job, line splitting by block; the parent adds the two maps up.
 */
import { fork } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { addUp, words } from "../jobs/word-functions.ts";

function count(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (const file of files) {
    const input = openSync(file, "r");
    let rest = "";
    for (let n = readSync(input, buffer); n > 0; n = readSync(input, buffer)) {
      const lines = (rest + buffer.toString("latin1", 0, n)).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) for (const [word, one] of words(line)) addUp(word, one, counts);
    }
    if (rest !== "") for (const [word, one] of words(rest)) addUp(word, one, counts);
    closeSync(input);
  }
  return counts;
}

if (process.send !== undefined) {
  process.send([...count(process.argv.slice(2))], () => process.disconnect());
} else {
  const files = process.argv.slice(2);
  const started = performance.now();
  const halves = [0, 1].map((half) => files.filter((_, i) => i % 2 === half));
  const parts = await Promise.all(
    halves.map(
      (half) =>
        new Promise<[string, number][]>((resolve, reject) => {
          const child = fork(import.meta.filename, half);
          child.once("message", (counts) => resolve(counts as [string, number][]));
          child.once("error", reject);
        }),
    ),
  );
  const counts = new Map<string, number>();
  for (const part of parts) for (const [word, n] of part) addUp(word, n, counts);
  const seconds = (performance.now() - started) / 1000;
  const total = [...counts.values()].reduce((a, n) => a + n, 0);
  console.log(JSON.stringify({ seconds, distinct: counts.size, total }));
}
