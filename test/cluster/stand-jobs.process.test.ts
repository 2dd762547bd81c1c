/** Jobs over a cluster of real processes: their bytes are those of one machine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Disco } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { checkJournal, digestOf, runPageRank, startWordCount, writeTexts } from "./stand-jobs.test-kit.ts";

test("word count and PageRank over four nodes and two masters give the bytes of the embedded engine", {
  skip: skipWithoutNats(),
  timeout: 120_000,
}, async (t) => {
  await using stand = await ProcessStand.open();
  const texts = await writeTexts(join(stand.folder, "texts"), 12, 2_000);
  await using alone = new Disco("local", { root: join(stand.folder, "alone") });
  await using together = stand.client();
  const [words, ranks] = await Promise.all([startWordCount(together, texts), runPageRank(together, 3)]);
  assert.equal(await digestOf(await words.wait()), await digestOf(await (await startWordCount(alone, texts)).wait()));
  assert.equal(await digestOf(ranks), await digestOf(await runPageRank(alone, 3)));
  const worked = (await together.nodeinfo()).filter(({ tasksOk }) => tasksOk > 0);
  assert.equal(worked.length, 4, "every node has ended tasks");
  const { attempts, lost, epoch } = await checkJournal(stand.nats.url);
  // 12 maps and 4 reduces; of PageRank a map and a reduce, then rounds of 1, 2 and 2 maps and 2 reduces each.
  assert.ok(attempts >= 16 + 2 + 11, `${attempts} attempts accepted`);
  t.diagnostic(`${attempts} attempts accepted, ${lost} lost, epoch ${epoch}`);
});
