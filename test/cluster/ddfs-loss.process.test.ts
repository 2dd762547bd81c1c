/**
 * Nodes that die for good. Three replicas on five nodes: any two go with their disks at one moment, and then one more after the other,
 * each when what was lost is there again.
 *
 *   30 blobs ─▶ 30 more, of which some are stored ─▶ two nodes are killed, their disks deleted ─▶ all 60 are read
 *     ─▶ three replicas of each on the three that are left, fsck finds nothing ─▶ a third node ─▶ a fourth ─▶ all 60 are read
 */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { shuffled } from "../../src/client/ddfs/replica-reader.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { assertContents, collect, contents, findings, hostsOf } from "./ddfs-stand.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const replicas = 3;
const nodes = ["n1", "n2", "n3", "n4", "n5"];

test("with three replicas on five nodes any two are lost with their disks, and no blob is; then one more, and one more", {
  skip: skipWithoutNats(),
  timeout: 300_000,
}, async (t) => {
  const env = { DDFS_LOST_AFTER: "2s" };
  await using stand = await ProcessStand.open({ servers: 1, masters: 1, nodes, env });
  await using disco = stand.client();
  const { ddfs } = disco;
  const api = await ddfs.api();
  const alive = new Set(nodes);
  const lose = async (...hosts: readonly string[]): Promise<void> => {
    for (const host of hosts) alive.delete(host);
    await Promise.all(
      hosts.map(async (host) => {
        await stand.node(host).kill();
        await rm(stand.disk(host), { recursive: true, force: true, maxRetries: 5 });
      }),
    );
  };
  const dying = shuffled(nodes);
  t.diagnostic(`nodes die in this order: ${dying.join(", ")}`);
  const [first = "", second = "", third = "", fourth = ""] = dying;
  const isRepaired = async (count: number): Promise<boolean> => {
    const { urls } = await ddfs.get("data");
    return urls.every((blob) => [...hostsOf(blob)].filter((host) => alive.has(host)).length >= count);
  };

  const early = contents("early", 30);
  const late = contents("late", 30);
  await ddfs.push("data", early, { replicas });
  const { urls: before } = await ddfs.get("data");
  assert.ok(before.every((blob) => hostsOf(blob).size === replicas));

  await t.test(
    "two die in the middle of a push: it stores everything, and nothing that was stored is gone",
    async () => {
      let death: Promise<void> | undefined;
      await ddfs.push("data", late, {
        replicas,
        progress: ({ blobs, isStored }) => {
          if (isStored && blobs >= 8) death ??= lose(first, second);
        },
      });
      assert.ok(death !== undefined, "nobody died");
      await death;
      await assertContents(ddfs, "data", [...early, ...late]);
    },
  );

  await t.test("three replicas of each blob are made again, on those that are left", async () => {
    await stand.nodesAre("lost", first, second);
    await stand.until("each blob has three replicas", async () => {
      await collect(stand, api);
      return await isRepaired(replicas);
    });
    assert.deepEqual(await findings(api), []);
    await assertContents(ddfs, "data", [...early, ...late]);
  });

  await t.test("a third is lost, and a fourth when nobody misses the third: nobody asks for a collection", async () => {
    await lose(third);
    await assertContents(ddfs, "data", [...early, ...late]);
    await stand.until("each blob has two replicas", () => isRepaired(2));
    await lose(fourth);
    await assertContents(ddfs, "data", [...early, ...late]);
    const found = await findings(api);
    assert.ok(found.every(({ kind, replicas: left }) => kind === "under-replicated" && left === 1));
    assert.equal(found.length, early.length + late.length);
  });
});
