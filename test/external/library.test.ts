/** `ext/disco.c`, compiled with every warning an error, and programs that use it, each run as a task of a worker. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { encodeExtParams } from "../../src/client/ext-params.ts";
import type { ExternalPlan } from "../../src/protocol/job-data.ts";
import { externalStandIn } from "../../src/worker/external/stand-in.ts";
import { fails, type JobBench, withJob } from "../../src/worker/fixtures/job-bench.ts";
import { netstrReader } from "../../src/worker/streams/netstr.ts";
import { noCompiler, Programs } from "./programs.test-kit.ts";

const programs = new Programs();
after(() => programs.remove());

function plan(program: string, extParams?: Record<string, string>): ExternalPlan {
  return { program, params: encodeExtParams(extParams), keys: "text", values: "text" };
}

/** A map and a reduce that are the same program, which lies where its plan says. */
async function withProgram(external: ExternalPlan, use: (bench: JobBench) => Promise<void>): Promise<void> {
  const stage = { fn: externalStandIn, external };
  const stages = [
    { ...stage, kind: "map", ...(external.program === "check" ? { inputStream: [netstrReader] } : {}) },
    { ...stage, kind: "reduce", sort: true },
  ] as const;
  await withJob({ stages, statusInterval: 100 }, async (bench) => {
    await copyFile(join(programs.folder, external.program), join(bench.dataDir, external.program));
    await use(bench);
  });
}

describe("a program in C", { skip: noCompiler }, () => {
  before(() => {
    programs.c("count", "examples/external/word-count.c", "ext/disco.c");
    programs.c("check", "test/external/library-check.c", "ext/disco.c");
  });

  it("counts words, those too that only Unicode's idea of lower case finds", async () => {
    const texts = globSync(join(import.meta.dirname, "../../examples/data/*.txt")).sort();
    const all = [
      ...texts.map((file) => readFileSync(file, "utf8")),
      "\u212aelvin, \u0130stanbul AND Ünder_score ﬁne\n\na",
    ];
    const expected = new Map<string, number>();
    for (const word of all
      .join("\n")
      .toLowerCase()
      .match(/[a-z]{2,}/g) ?? [])
      expected.set(word, (expected.get(word) ?? 0) + 1);
    assert.ok(expected.has("kelvin") && expected.has("stanbul"));
    await withProgram(plan("count"), async (bench) => {
      for (const [task, text] of all.entries()) await bench.run({ task, inputs: [`raw://${text}`] });
      await bench.run({ stage: 1, label: 0 });
      const ordered = [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, n]) => [word, `${n}`]);
      assert.deepEqual(bench.results(1), ordered);
    });
  });

  it("gets parameters and pairs, and may emit after the end of its input", async () => {
    const params = { "one two three": "dim\ndam\n", "": "empty", ü: "x".repeat(70_000) };
    await withProgram(plan("check", params), async (bench) => {
      await bench.run({ inputs: ["raw://1 k 1 v\n0  2 zz\n3 abc 0 \n"] });
      await bench.run({ stage: 1, label: 0 });
      // The map swaps, and leaves out what has no value; the reduce swaps back.
      assert.deepEqual(bench.results(1), [
        ["k", "v"],
        ["records", "2"],
        ["one two three", "dim\ndam\n"],
        ["unnamed", "empty"],
      ]);
    });
  });

  it("is counted: what it read, what it wrote, and how far it is", async () => {
    await withProgram(plan("count"), async (bench) => {
      const lines = Array.from({ length: 250 }, (_, i) => `line of ${"two ".repeat(i % 3)}words`);
      const mapped = await bench.run({ inputs: [`raw://${lines.join("\n")}`] });
      const words = lines.join(" ").split(" ").length;
      assert.deepEqual([mapped.recordsIn, mapped.recordsOut], [250, words]);
      assert.deepEqual(bench.status, ["100 items mapped", "200 items mapped"]);
      const reduced = await bench.run({ stage: 1, label: 0 });
      assert.deepEqual([reduced.recordsIn, reduced.recordsOut], [words, 4]);
    });
  });

  it("takes records that are larger than its buffers", async () => {
    const value = "v".repeat(3_000_000);
    await withProgram(plan("check"), async (bench) => {
      await bench.run({ inputs: [`raw://1 a ${value.length} ${value}\n1 b 1 c\n`] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.results(1).slice(0, 2), [
        ["b", "c"],
        ["a", value],
      ]);
    });
  });

  it("says what is wrong with parameters that are no dictionary", async () => {
    for (const params of ["text", "5\n1 a b\n", "7\n1 a 1 b\n", "99999999999\n"]) {
      await withProgram({ ...plan("check"), params: Buffer.from(params) }, async (bench) => {
        const wrong =
          /map \(check\): (?:the parameters are no dictionary|the input ends in the middle of the parameters)/;
        await assert.rejects(bench.run({ inputs: ["raw://1 k 1 v\n"] }), fails("external-error", wrong));
      });
    }
  });

  it("ends its job by disco_fatal, and its attempt by disco_data_error", async () => {
    await withProgram(plan("check", { fatal: "bad" }), (bench) =>
      assert.rejects(
        bench.run({ inputs: ["raw://1 k 3 bad\n"] }),
        fails("external-error", /^map \(check\): fatal: bad$/),
      ),
    );
    await withProgram(plan("check", { data: "bad" }), (bench) =>
      assert.rejects(
        bench.run({ inputs: ["raw://1 k 3 bad\n"] }),
        fails("external-data", /^map \(check\): data: bad$/),
      ),
    );
  });
});
