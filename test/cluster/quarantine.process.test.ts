/**
 * A node that fails everything it is given, with processes as a person runs them (fault 24).
 *
 *   n3's disk breaks (no job can have a folder there) ─▶ a job: what n3 gets fails at once ─▶ n3 is in quarantine, the job ends on the
 *     others ─▶ another job: n3 gets nothing ─▶ a master that takes over keeps it so ─▶ the disk is mended, n3 is whitelisted ─▶ it works
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { gatedReduce, gatedWords } from "./fixtures/gated-words.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { digestOf } from "./stand-jobs.test-kit.ts";

const maps = 30;

test("a node that fails everything gets no tasks until it is trusted again, and jobs end on the others", {
  skip: skipWithoutNats(),
  timeout: 180_000,
}, async (t) => {
  await using stand = await ProcessStand.open({ nodes: ["n1", "n2", "n3"], servers: 1 });
  await using client = stand.client();
  const gates = join(stand.folder, "gates");
  await mkdir(gates);

  /** `meanwhile`: its tasks wait for the end of that. */
  const run = async (prefix: string, meanwhile?: (folder: string) => Promise<void>): Promise<string> => {
    const folder = join(gates, prefix);
    await mkdir(folder);
    const open = (): Promise<void> => writeFile(join(folder, "open-all"), "");
    if (meanwhile === undefined) await open();
    const job = await client.newJob(prefix, {
      input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
      map: gatedWords,
      reduce: gatedReduce,
      params: { folder, words: 50 },
      partitions: 2,
      sort: true,
    });
    if (meanwhile !== undefined) {
      await meanwhile(folder);
      await open();
    }
    return await digestOf(await job.wait());
  };

  const allWork = async (folder: string): Promise<void> => {
    const began = async (name: string): Promise<boolean> =>
      (await readdir(folder)).some((file) => file.startsWith("began-map") && file.includes(`-${name}-`));
    for (const name of stand.nodes.keys()) await stand.until(`${name} runs a map`, () => began(name));
  };
  // As on a disk that became read-only (which root's processes would not notice here): no job can have a folder, what is there can be read.
  const parts = Array.from({ length: 256 }, (_, byte) =>
    join(stand.disk("n3"), "node", "data", "n3", byte.toString(16).padStart(2, "0")),
  );
  const breakDisk = async (): Promise<void> => {
    for (const part of parts) {
      if (existsSync(part)) await rename(part, `${part}.aside`);
      await writeFile(part, "no folder");
    }
  };
  const mendDisk = async (): Promise<void> => {
    for (const part of parts) {
      await rm(part);
      if (existsSync(`${part}.aside`)) await rename(`${part}.aside`, part);
    }
  };
  const whole = await run("whole", allWork);
  const before = await stand.nodeInfo("n3");
  assert.equal(before?.tasksFailed, 0);

  await t.test("what it fails runs elsewhere, and it is in quarantine, with the reason", async () => {
    await breakDisk();
    assert.equal(await run("broken", () => stand.nodesAre("quarantined", "n3")), whole);
    const node = await stand.nodeInfo("n3");
    assert.equal(node?.state, "quarantined");
    const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: stand.masterUrls.join(",") };
    const { code, stdout, stderr } = await runDisco(["nodes"], { root: stand.folder, cwd: stand.folder, env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /n3 [^\n]*quarantined[^\n]*\d+ tasks failed there in a row, and not elsewhere/);
  });

  const failed = (await stand.nodeInfo("n3"))?.tasksFailed;

  await t.test("it gets nothing as long as that lasts, also from a master that takes over", async () => {
    assert.equal(await run("without"), whole);
    await stand.takeover();
    await stand.until("all have joined it", () =>
      [...stand.nodes.values()].every(({ output }) => (output.match(/"msg":"joined"/g)?.length ?? 0) > 1),
    );
    assert.equal(await run("after"), whole);
    const node = await stand.nodeInfo("n3");
    assert.deepEqual([node?.state, node?.tasksFailed], ["quarantined", failed]);
  });

  await t.test("mended and whitelisted it gets tasks, and does them", async () => {
    await mendDisk();
    await client.whitelist("n3");
    await stand.nodesAre("up", "n3");
    assert.equal(await run("again", allWork), whole);
    const node = await stand.nodeInfo("n3");
    assert.equal(node?.tasksFailed, failed);
    assert.ok((node?.tasksOk ?? 0) > (before?.tasksOk ?? 0));
  });
});
