/** External programs over a cluster of real processes, on whose nodes nothing of them was before: their bytes are those of one machine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Disco, external, type Results, task } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { noCompiler, Programs } from "../external/programs.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { digestOf, writeTexts } from "./stand-jobs.test-kit.ts";

test("a map and a reduce in C give the bytes of the embedded engine, on every node of a cluster", {
  skip: noCompiler || skipWithoutNats(),
  timeout: 120_000,
}, async () => {
  const programs = new Programs();
  try {
    const words = external([programs.c("word-count", "examples/external/word-count.c", "ext/disco.c")]);
    const check = external([programs.c("check", "test/external/library-check.c", "ext/disco.c")]);
    await using stand = await ProcessStand.open({ servers: 1, masters: 1, nodes: ["n1", "n2"] });
    const input = await writeTexts(join(stand.folder, "texts"), 8, 500);
    const counted = async (disco: Disco): Promise<Results> => {
      const job = await disco.newJob("words", { input, map: words, reduce: words, sort: true, partitions: 4 });
      return job.wait();
    };
    await using alone = new Disco("local", { root: join(stand.folder, "alone") });
    await using together = stand.client();
    assert.equal(await digestOf(await counted(together)), await digestOf(await counted(alone)));
    const worked = (await together.nodeinfo()).filter(({ tasksOk }) => tasksOk > 0);
    assert.equal(worked.length, 2, "every node has ended tasks");
    const failing = await together.newJob("fails", {
      input: input.slice(0, 1),
      map: () => [["host", task.host] as const],
      reduce: check,
      extParams: { data: "n1", fatal: "n2" },
    });
    await assert.rejects(failing.wait(), /reduce \(check\): (?:data: n1|fatal: n2)/);
  } finally {
    programs.remove();
  }
});
