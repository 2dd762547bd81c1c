import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { DiscoError } from "../errors.ts";
import { fails, withJob } from "./fixtures/job-bench.ts";
import { nopReduce } from "./nop.ts";
import { task } from "./task.ts";

const words = (line: string) => line.split(" ").map((word) => [word, 1] as const);

const badMaps: [string, (line: string) => unknown, string, RegExp][] = [
  [
    "nothing",
    () => undefined,
    "bad-result",
    /map \(fn\) returned undefined, an iterable of \[key, value\] was expected/,
  ],
  ["a string", () => "ab", "bad-result", /returned 'ab'/],
  ["a number", () => 7, "bad-result", /returned 7/],
  ["a flat pair", (line) => [line, 1], "bad-result", /emitted 'x', a pair/],
  ["triples", () => [[1, 2, 3]], "bad-result", /emitted \[ 1, 2, 3 \]/],
  ["a promise of nothing", async () => undefined, "bad-result", /returned undefined/],
  ["a function as value", () => [["k", { deep: [() => 1] }]], "bad-value", /value\.deep\[0\]/],
];
for (const [name, fn, code, message] of badMaps) {
  test(`a map that returns ${name} fails with an error that says so`, async () => {
    await withJob(
      { stages: [{ kind: "map", fn: Object.defineProperty(fn, "name", { value: "fn" }) }] },
      async (bench) => {
        await assert.rejects(bench.run({ inputs: ["raw://x"] }), fails(code, message));
      },
    );
  });
}

test("a partitioner out of range is named with its key", async () => {
  for (const value of [4, -1, 1.5, "1", Number.NaN, undefined]) {
    await withJob({ stages: [{ kind: "map", fn: words, partition: () => value, partitions: 4 }] }, async (bench) => {
      await assert.rejects(
        bench.run({ inputs: ["raw://x"] }),
        fails("bad-partition", /partition returned .* for the key 'x': an integer from 0 to 3/),
      );
    });
  }
});

test("a failed attempt leaves nothing behind and the next one gives the same output", async () => {
  let bad = true;
  const fn = (line: string) => {
    if (bad && line === "b") throw new Error("broken");
    return [[line, 1]];
  };
  await withJob(
    {
      stages: [
        { kind: "map", fn },
        { kind: "reduce", fn: nopReduce },
      ],
    },
    async (bench) => {
      await assert.rejects(bench.run({ inputs: ["raw://a\nb"] }), /broken/);
      bad = false;
      const output = await bench.run({ inputs: ["raw://a\nb"], attempt: 1 });
      const again = await bench.run({ inputs: ["raw://a\nb"], attempt: 2 });
      assert.equal(output.ref.digest, again.ref.digest);
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.results(1), [
        ["a", 1],
        ["b", 1],
      ]);
    },
  );
});

test("a lost output of the stage before names the task that must run again", async () => {
  await withJob(
    {
      stages: [
        { kind: "map", fn: words },
        { kind: "reduce", fn: nopReduce },
      ],
    },
    async (bench) => {
      const output = await bench.run({ inputs: ["raw://a"] });
      await writeFile(join(bench.dataDir, output.ref.file), "");
      await assert.rejects(bench.run({ stage: 1, label: 0 }), (error: DiscoError) => error.code === "input-lost");
    },
  );
});

test("a task knows itself, and its values out of band are reported once each", async () => {
  const fn = (line: string) => {
    task.put("greeting", "first");
    task.put("greeting", `hello ${line}`);
    const facts = [task.jobName, task.host, task.stage, task.id, task.attempt, task.partition, task.inputs.length];
    return [
      [task.get("greeting").toString(), facts],
      [new Set([task.random(), task.random()]).size, 0],
    ];
  };
  await withJob({ stages: [{ kind: "map", fn }] }, async (bench) => {
    const output = await bench.run({ task: 3, attempt: 2, label: 5, inputs: ["raw://you"] });
    assert.deepEqual(bench.results(0)[0], ["hello you", ["test@1:2:3", "localhost", "map", 3, 2, 5, 1]]);
    assert.equal(bench.results(0)[1]?.[0], 2);
    const [oob, ...rest] = output.oob ?? [];
    assert.equal(rest.length, 0);
    assert.equal(await readFile(join(bench.dataDir, oob?.file ?? ""), "utf8"), "hello you");
  });
  assert.throws(() => task.put("a", "b"), fails("no-task", /only there while a task runs/));
});

test("out-of-band keys and counts have limits", async () => {
  const put = (key: string) => (_: string) => {
    task.put(key, "x");
    return [];
  };
  for (const key of ["", "a b", "ä", "x".repeat(257)]) {
    await withJob({ stages: [{ kind: "map", fn: put(key) }] }, async (bench) => {
      await assert.rejects(bench.run({ inputs: ["raw://x"] }), fails("bad-key", /bad key/));
    });
  }
  await withJob({ stages: [{ kind: "map", fn: put("key") }] }, async (bench) => {
    await assert.rejects(bench.run({ inputs: [`raw://${"x\n".repeat(1001)}`] }), fails("too-many-puts", /1000/));
  });
});

test("every Nth item is told, as the seed does", async () => {
  await withJob(
    {
      stages: [
        { kind: "map", fn: words },
        { kind: "reduce", fn: nopReduce },
      ],
      statusInterval: 2,
    },
    async (bench) => {
      await bench.run({ inputs: ["raw://a\nb\nc\nd\ne"] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.status, ["2 items mapped", "4 items mapped", "2 items reduced", "4 items reduced"]);
    },
  );
});
