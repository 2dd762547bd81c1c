/**
 * The bare loop of P4: two processes, the same functions as the job, line splitting by block; the parent gathers the lines.
 * Arguments: `--generator` for a map that is one, a pattern, the files.
 */
import { fork } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { parseArgs } from "node:util";
import { matching, yieldMatching } from "../jobs/grep-functions.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { generator: { type: "boolean", default: false } },
});
const [pattern = "", ...files] = positionals;

function grep(): string[] {
  const map = values.generator ? yieldMatching : matching;
  const params = { pattern: new RegExp(pattern) };
  const found: string[] = [];
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (const file of files) {
    const input = openSync(file, "r");
    let rest = "";
    for (let n = readSync(input, buffer); n > 0; n = readSync(input, buffer)) {
      const lines = (rest + buffer.toString("latin1", 0, n)).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) for (const [match] of map(line, params)) found.push(match);
    }
    if (rest !== "") for (const [match] of map(rest, params)) found.push(match);
    closeSync(input);
  }
  return found;
}

if (process.send !== undefined) {
  process.send(grep(), () => process.disconnect());
} else {
  const started = performance.now();
  const halves = [0, 1].map((half) => files.filter((_, i) => i % 2 === half));
  const parts = await Promise.all(
    halves.map(
      (half) =>
        new Promise<string[]>((resolve, reject) => {
          const child = fork(import.meta.filename, [
            ...(values.generator ? ["--generator"] : []),
            "--",
            pattern,
            ...half,
          ]);
          child.once("message", (found) => resolve(found as string[]));
          child.once("error", reject);
        }),
    ),
  );
  const matches = parts.reduce((sum, part) => sum + part.length, 0);
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, matches }));
}
