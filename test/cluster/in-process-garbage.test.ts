/** Garbage collection over real nodes that copy from each other. One process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { openDisks, push, read, untilAsync } from "./in-process-disks.test-kit.ts";

async function collect(ddfs: DdfsApi): Promise<void> {
  await ddfs.gcStart();
  await untilAsync(async () => (await ddfs.gcStatus()).phase === null);
}

async function hostsOf(ddfs: DdfsApi, tag: string): Promise<string[]> {
  return ((await ddfs.tag(tag)).urls[0] ?? []).map((url) => new URL(url).host).sort();
}

test("what a node had that is gone is copied to others; a leaving node is emptied, and said to be safe to remove", {
  timeout: 60_000,
}, async () => {
  await using disks = await openDisks(["n1", "n2", "n3", "n4"]);
  const { ddfs, stand } = disks;
  await untilAsync(async () => (await ddfs.space()).every(({ volumes }) => volumes.length === 2));
  await ddfs.link("books", [await push(ddfs, "a blob that matters", ["n1", "n2"])]);
  await collect(ddfs);
  const three = await hostsOf(ddfs, "books");
  assert.equal(three.length, 3);
  // The node that has none yet is where the next replica goes.
  const [free = ""] = ["n1", "n2", "n3", "n4"].filter((host) => !three.includes(host));
  await stand.nodes.get("n2")?.leave();
  await stand.nodes.get("n2")?.close();
  await stand.until(() => !stand.isConnected("n2"));
  await collect(ddfs);
  assert.deepEqual(await hostsOf(ddfs, "books"), ["n1", "n2", "n3", "n4"]);
  assert.match((await ddfs.gcStatus()).notes.join(), /Nothing is deleted: n2 is away/);
  const found = (await Array.fromAsync(ddfs.fsck())).map(({ kind }) => kind);
  assert.deepEqual(found, []);
  await stand.master.gcBlacklistNode("n1");
  await stand.master.gcBlacklistNode("n2");
  await collect(ddfs);
  await untilAsync(async () => (await ddfs.gcStatus()).phase === null);
  assert.deepEqual(await ddfs.safeGcBlacklist(), ["n1", "n2"]);
  const left = (await ddfs.tag("books")).urls[0] ?? [];
  assert.deepEqual(left.map((url) => new URL(url).host).sort(), ["n3", "n4"]);
  assert.ok(left.some((url) => new URL(url).host === free));
  for (const url of left) assert.equal(await read(ddfs, url), "a blob that matters");
});
