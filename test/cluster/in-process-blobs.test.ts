/** Blobs of nodes that serve them to each other: volumes in trouble, damage, and whose blobs they are. One process. */
import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { nameCluster } from "../../src/master/ddfs/cluster-name.ts";
import { openDisks, push, read, untilAsync } from "./in-process-disks.test-kit.ts";

test("a volume that vanishes is out, as the master hears; its node stays and takes blobs on the other", async () => {
  await using disks = await openDisks(["n1", "n2"]);
  const { ddfs, root, stand } = disks;
  const troubles = async (): Promise<unknown> =>
    (await ddfs.space())
      .map(({ host, volumes }) => [host, ...volumes.map(({ trouble }) => trouble)])
      .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  await untilAsync(async () => (await ddfs.space()).every(({ volumes }) => volumes.length === 2));
  assert.deepEqual(await troubles(), [
    ["n1", null, null],
    ["n2", null, null],
  ]);
  await rename(join(root, "n1", "disk"), join(root, "n1", "away"));
  await untilAsync(async () => JSON.stringify(await troubles()).includes('["n1",null,"gone"]'));
  assert.equal(stand.isConnected("n1"), true);
  for (let i = 0; i < 4; i++) {
    const [url = ""] = await push(ddfs, "bytes", ["n1"]);
    assert.match(url, /^disco:\/\/n1\/ddfs\/vol0\//);
    assert.equal(await read(ddfs, url), "bytes");
  }
});

test("damage that a reader meets is told, and mended from another replica", { timeout: 60_000 }, async () => {
  await using disks = await openDisks(["n1", "n2", "n3"]);
  const { ddfs, root } = disks;
  await untilAsync(async () => (await ddfs.space()).every(({ volumes }) => volumes.length === 2));
  const urls = await push(ddfs, "a blob that matters", ["n1", "n2"]);
  await ddfs.link("books", [urls]);
  const [first = "", second = ""] = urls;
  const { host, pathname } = new URL(first);
  const file = join(root, host, "data", ...pathname.split("/").map(decodeURIComponent));
  await chmod(file, 0o600);
  const bytes = await readFile(file);
  bytes[3] = (bytes[3] ?? 0) ^ 16;
  await writeFile(file, bytes);
  await assert.rejects(read(ddfs, first));
  assert.equal(await read(ddfs, second), "a blob that matters");
  const mended = async (): Promise<readonly string[]> => (await ddfs.tag("books")).urls[0] ?? [];
  await untilAsync(async () => {
    const now = await mended();
    return now.length >= 2 && !now.includes(first);
  });
  for (const url of await mended()) assert.equal(await read(ddfs, url), "a blob that matters");
});

test("a node with blobs of another cluster is not let in", async () => {
  await using disks = await openDisks(["n1", "stranger"], async (root) => {
    await mkdir(join(root, "stranger", "data", "ddfs", "vol0"), { recursive: true });
    await writeFile(join(root, "stranger", "data", "ddfs", "vol0", "cluster"), "another");
  });
  const { stand, root } = disks;
  await nameCluster(stand.coordinator, Date.now);
  stand.startNode("stranger");
  await stand.until(() => stand.refused.length > 0);
  assert.deepEqual(stand.refused[0], { host: "stranger", code: "other-cluster" });
  assert.equal(stand.isConnected("stranger"), false);
  // Those that it lets in keep its name.
  await stand.endMaster();
  await stand.startMaster();
  await stand.until(() => stand.isConnected("n1"));
  const { cluster } = stand.coordinator.machine.tags;
  await untilAsync(async () => {
    const kept = await readFile(join(root, "n1", "data", "ddfs", "vol0", "cluster"), "utf8").catch(() => null);
    return kept !== null && kept === cluster;
  });
});
