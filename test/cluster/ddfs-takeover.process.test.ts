/** Pushes while the master that leads is killed again and again: each is stored, and none is refused as the next master knows of no node yet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { assertContents, type NamedContents } from "./ddfs-stand.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const takeovers = 3;
const pushers = 4;

test("pushes go on over takeovers, with as many replicas as before", {
  skip: skipWithoutNats(),
  timeout: 200_000,
}, async () => {
  await using stand = await ProcessStand.open({ servers: 1, nodes: ["n1", "n2", "n3"] });
  await using disco = stand.client();
  const { ddfs } = disco;
  const pushed: NamedContents[] = [];
  let isOver = false;
  const pushing = Array.from({ length: pushers }, async (_, pusher) => {
    for (let i = 0; !isOver; i++) {
      const blob = { name: `p${pusher}-${i}`, data: Buffer.from(`${pusher} ${i}`) };
      await ddfs.push("busy", [blob]);
      pushed.push(blob);
    }
  });
  try {
    for (let i = 0; i < takeovers; i++) {
      const before = pushed.length;
      await stand.until("some are pushed", () => pushed.length >= before + 2 * pushers);
      await stand.takeover();
      await stand.restore();
    }
  } finally {
    isOver = true;
  }
  await Promise.all(pushing);
  await assertContents(ddfs, "busy", pushed);
  assert.ok((await ddfs.get("busy")).urls.every((replicas) => replicas.length === 3));
});
