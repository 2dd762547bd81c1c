/**
 * Two of three servers of NATS are gone for a while, and nothing else ends (fault 32): nothing is assigned or promised, who asks is told
 * that the engine is away, and everything goes on by itself when they are back.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { Disco } from "disco-mapreduce";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";
import { checkJournal, digestOf, startWordCount, writeTexts } from "./stand-jobs.test-kit.ts";

/** Longer than the lease, than the death of a node, and than any patience of a request. */
const outageMs = 20_000;

test("jobs pause while the engine has no quorum, who asks is told so, and they go on afterwards with the same bytes", {
  skip: skipWithoutNats(),
  timeout: 240_000,
}, async (t) => {
  await using stand = await ProcessStand.open({ nodes: ["n1", "n2", "n3"] });
  const texts = await writeTexts(join(stand.folder, "texts"), 24, 8_000);
  await using alone = new Disco("local", { root: join(stand.folder, "alone") });
  const expected = await digestOf(await (await startWordCount(alone, texts)).wait());
  await using client = stand.client();
  const words = await startWordCount(client, texts);
  await stand.until("a third of the texts is counted", async () => {
    const [map] = (await words.jobinfo()).stages;
    return (map?.done ?? 0) >= texts.length / 3;
  });
  const leader = await stand.leader();
  const pids = [...stand.masters, ...stand.nodes.values()].map(({ pid }) => pid);
  const [url = ""] = stand.masterUrls.filter((each) => leader.output.includes(each));
  const gone = [1, 2];
  const began = performance.now();
  await Promise.all(gone.map((i) => stand.nats.kill(i)));
  let waited = "";
  const waiting = words.wait().then((results) => {
    waited = "ended";
    return results;
  });
  await stand.until("the master says that the engine is away", async () => {
    const answer = await fetch(`${url}/api/v1/jobs/${words.name}`);
    return answer.status === 503 && (await answer.text()).includes("engine-away");
  });
  t.diagnostic(`engine-away after ${Math.round(performance.now() - began)} ms`);
  await passed(outageMs - (performance.now() - began));
  assert.equal(waited, "", "it cannot have ended without the journal");
  await Promise.all(gone.map((i) => stand.nats.startOne(i)));
  const back = performance.now();
  assert.equal(await digestOf(await waiting), expected);
  t.diagnostic(`ended ${Math.round(performance.now() - back)} ms after they were back`);
  // Nobody died of it: the engine was away for all alike.
  const running = [...stand.masters, ...stand.nodes.values()].filter(({ runs }) => runs).map(({ pid }) => pid);
  assert.deepEqual(running, pids, stand.printed());
  // JetStream says for a while that it is not available, also when its streams are.
  await stand.restore();
  const { lost, attempts } = await checkJournal(stand.nats.url);
  t.diagnostic(`${attempts} attempts accepted, ${lost} lost`);
});
