/** Much data through programs that read and write in each their own way: nobody waits for the other, and nothing is kept. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runExternal } from "../../src/worker/external/run-external.ts";
import { Progress } from "../../src/worker/progress.ts";
import { noCompiler, Programs } from "./programs.test-kit.ts";

const megabyte = 1024 * 1024;
const line = "x".repeat(1016);
const programs = new Programs();

before(() => {
  if (noCompiler === false) programs.c("ways", "test/external/ways.c");
});
after(() => programs.remove());

interface Flow {
  readonly pairs: number;
  readonly bytes: number;
  /** By how much this process grew, at most. */
  readonly grownBytes: number;
}

/** Sends so many records of 1 KB through the program. */
async function flow(way: string, records: number): Promise<Flow> {
  const floor = process.memoryUsage().rss;
  let peak = floor;
  let pairs = 0;
  let bytes = 0;
  function* entries(): Generator<string> {
    for (let i = 0; i < records; i++) {
      if (i % 5_000 === 0) peak = Math.max(peak, process.memoryUsage().rss);
      yield line;
    }
  }
  await runExternal(entries(), {
    plan: { program: "ways", params: Buffer.from(`${way}\n`), keys: "text", values: "text" },
    kind: "map",
    directory: programs.folder,
    emit: (key, value) => {
      pairs++;
      bytes += 8 + (key as string).length + (value as string).length;
    },
    spill: () => {},
    spillBytes: megabyte,
    progress: new Progress(new Int32Array(2), { progress: () => {}, status: () => {} }, 0, "map"),
    print: (_level, text) => assert.fail(text),
    recordBytesMax: megabyte,
    memoryLimitBytes: 1024 * megabyte,
  });
  return { pairs, bytes, grownBytes: Math.max(peak, process.memoryUsage().rss) - floor };
}

it("a flood of lines on stderr is shown line by line, and holds nothing up", { timeout: 60_000 }, async () => {
  const flood = "yes 'a line of the flood' | head -c 4000000 >&2";
  writeFileSync(join(programs.folder, "flood"), `#!/bin/sh\n${flood}\ncat >/dev/null\n${flood}\n`, { mode: 0o755 });
  let lines = 0;
  await runExternal(["one line"], {
    plan: { program: "flood", params: Buffer.from("0\n"), keys: "text", values: "text" },
    kind: "reduce",
    directory: programs.folder,
    emit: () => {},
    spill: () => {},
    spillBytes: megabyte,
    progress: new Progress(new Int32Array(2), { progress: () => {}, status: () => {} }, 0, "reduce"),
    print: (level, line) => {
      lines++;
      // Where the first flood ends, half a line is left.
      if (level !== "warning" || !line.includes("line of the flood")) assert.fail(line);
    },
    recordBytesMax: megabyte,
    memoryLimitBytes: 1024 * megabyte,
  });
  assert.equal(lines, Math.ceil(8_000_000 / "a line of the flood\n".length));
});

describe("100 MB through an external map", { skip: noCompiler }, () => {
  const ways: readonly [way: string, records: number, pairs: number][] = [
    ["one", 102_400, 102_400],
    ["all", 102_400, 102_400],
    ["much", 1_024, 102_400],
    ["little", 102_400, 0],
  ];
  for (const [way, records, pairs] of ways) {
    it(`that reads and writes in the way "${way}" neither stands still nor is kept in memory`, {
      timeout: 60_000,
    }, async () => {
      const done = await flow(way, records);
      assert.equal(done.pairs, pairs);
      assert.equal(done.bytes, pairs * 1024);
      assert.ok(done.grownBytes < 64 * megabyte, `it grew by ${Math.round(done.grownBytes / megabyte)} MB`);
    });
  }
});
