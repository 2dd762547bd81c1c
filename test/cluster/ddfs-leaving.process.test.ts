/**
 * Nodes that are to leave, and clients that are gone. A node on the GC blacklist is emptied, and taken away when that is said to be safe.
 * A client that is killed at any moment of a push leaves a tag with all of it, or none; what it had stored is collected.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { assertContents, collect, contents, findings, hostsOf, objectsWithoutTag } from "./ddfs-stand.test-kit.ts";
import { TestProcess } from "./process.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const nodes = ["n1", "n2", "n3", "n4"];
const kills = 4;
const filesOfPush = 30;
const replicas = 3;

test("a node is emptied and taken away; pushes that are killed leave everything or nothing", {
  skip: skipWithoutNats(),
  timeout: 300_000,
}, async (t) => {
  const env = { DDFS_GC_GRACE: "1s", DDFS_LOST_AFTER: "30s" };
  await using stand = await ProcessStand.open({ servers: 1, masters: 1, nodes, env });
  await using disco = stand.client();
  const { ddfs } = disco;
  const api = await ddfs.api();
  const data = contents("data", filesOfPush);
  await ddfs.push("data", data);

  await t.test("pushes that are killed", async (each) => {
    const files = data.map(({ name }) => join(stand.folder, name));
    for (const [i, file] of files.entries()) await writeFile(file, data[i]?.data ?? "");
    const leftovers = async (): Promise<string[]> => await objectsWithoutTag(stand, nodes, [await ddfs.get("data")]);
    for (let i = 0; i < kills; i++) {
      const push = new TestProcess({
        name: `push ${i}`,
        command: process.execPath,
        args: [join(import.meta.dirname, "..", "..", "bin", "ddfs.js"), "push", `cut${i}`, ...files],
        env: { DISCO_CONFIG: "none", DISCO_MASTER: stand.masterUrls.join(",") },
      });
      const before = (await leftovers()).length;
      const stored = randomInt(1, filesOfPush * replicas + 1);
      const ended = push.start(/a push prints nothing like this/).catch(() => undefined);
      await stand.until("so many replicas are stored", async () => {
        return !push.runs || (await leftovers()).length >= before + stored;
      });
      await push.kill();
      await ended;
      assert.doesNotMatch(push.output, /error/);
      const isThere = await ddfs.exists(`cut${i}`);
      each.diagnostic(
        `push ${i} was killed after ${stored} replicas, ${isThere ? "after" : "before"} its tag was made`,
      );
      if (!isThere) continue;
      await assertContents(ddfs, `cut${i}`, data);
      await ddfs.delete(`cut${i}`);
    }
    assert.ok((await leftovers()).length > 0, "no push left anything");
    await stand.until("what they left is collected", async () => {
      await collect(stand, api);
      return (await leftovers()).length === 0;
    });
    await assertContents(ddfs, "data", data);
    assert.equal((await ddfs.get("data")).urls.length, filesOfPush);
  });

  await t.test("a node that leaves", async () => {
    const master = await disco.master();
    assert.ok((await api.hostedTags("n2")).includes("data"));
    await master.gcBlacklistNode("n2");
    await stand.until("it is safe to take n2 away", async () => {
      await collect(stand, api);
      return (await api.safeGcBlacklist()).includes("n2");
    });
    assert.ok(
      (await ddfs.get("data")).urls.every((blob) => hostsOf(blob).size >= replicas && !hostsOf(blob).has("n2")),
    );
    await stand.node("n2").kill();
    await rm(stand.disk("n2"), { recursive: true, force: true, maxRetries: 5 });
    // And one that nobody was told of.
    await stand.node("n1").kill();
    await assertContents(ddfs, "data", data);
    await ddfs.push("more", data, { replicas: 2 });
    await assertContents(ddfs, "more", data);
    await stand.node("n1").start(/"msg":"joined"/);
    await stand.until("fsck finds nothing", async () => {
      await collect(stand, api);
      return (await findings(api)).length === 0;
    });
  });
});
