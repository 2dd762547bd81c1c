/** `disco node drain` on a cluster that works: it ends, says when the node can be taken away, and taking it away changes no byte. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Disco } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { digestOf, startWordCount, writeTexts } from "./stand-jobs.test-kit.ts";

test("a drained node of a busy cluster is free when its jobs have ended and their results are purged", {
  skip: skipWithoutNats(),
  timeout: 180_000,
}, async () => {
  await using stand = await ProcessStand.open({ servers: 1, nodes: ["n1", "n2"] });
  const texts = await writeTexts(join(stand.folder, "texts"), 12, 6_000);
  await using alone = new Disco("local", { root: join(stand.folder, "alone") });
  const expected = await digestOf(await (await startWordCount(alone, texts)).wait());
  await using client = stand.client();
  const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: stand.masterUrls.join(",") };
  const disco = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runDisco(args, { root: join(stand.folder, "client"), env });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const words = await startWordCount(client, texts);
  await stand.until("n2 has worked", async () => ((await stand.nodeInfo("n2"))?.tasksOk ?? 0) > 0);
  assert.match(await disco("node", "drain", "n2"), /^n2 cannot be taken away yet: .*1 active jobs may read from it/);
  assert.match(await disco("nodes"), /^n2 +draining/m);
  const drained = disco("node", "drain", "n2", "--wait");
  assert.equal(await digestOf(await words.wait()), expected);
  await drained;
  const before = (await stand.nodeInfo("n2"))?.tasksOk;
  const second = await startWordCount(client, texts);
  assert.equal(await digestOf(await second.wait()), expected);
  assert.equal((await stand.nodeInfo("n2"))?.tasksOk, before, "it got nothing more");
  await words.purge();
  assert.equal(await disco("node", "drain", "n2"), "n2 can be taken away\n");
  assert.equal(await stand.node("n2").end(), 0);
  assert.equal(await digestOf(await second.results()), expected);
  await stand.node("n2").start(/"msg":"joined"/);
  assert.match(await disco("node", "undrain", "n2"), /n2 gets tasks/);
  await stand.nodesAre("up", "n2");
});
