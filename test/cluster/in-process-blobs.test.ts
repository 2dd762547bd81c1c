/** Blobs of nodes that serve them to each other: volumes in trouble, damage, and whose blobs they are. One process. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chunked } from "../../src/blobs/contract.ts";
import type { DdfsApi } from "../../src/client/ddfs/ddfs-api.ts";
import { nameCluster } from "../../src/master/ddfs/cluster-name.ts";
import { type NodeDataServer, serveNodeData } from "../../src/node/data-server/serve.ts";
import { OwnBlobs } from "../../src/node/ddfs/own-blobs.ts";
import { Stand } from "./in-process.test-kit.ts";

interface Disks extends AsyncDisposable {
  readonly root: string;
  readonly stand: Stand;
  readonly ddfs: DdfsApi;
}

/** Nodes with a data server and two disks each. */
async function openDisks(hosts: readonly string[], prepare?: (root: string) => Promise<void>): Promise<Disks> {
  const root = await mkdtemp(join(tmpdir(), "disco-disks-"));
  await prepare?.(root);
  const servers: NodeDataServer[] = [];
  const blobs = new Map<string, { readonly own: OwnBlobs; readonly url: string }>();
  for (const host of hosts) {
    const [dataDir, disk] = [join(root, host, "data"), join(root, host, "disk")];
    for (const folder of [dataDir, disk]) await mkdir(folder, { recursive: true });
    const own = new OwnBlobs({ dataDir, folders: [disk] });
    await own.look();
    const server = await serveNodeData({ dataDir, node: host, blobs: own, host: "127.0.0.1", port: 0, tokens: {} });
    servers.push(server);
    blobs.set(host, { own, url: server.url });
  }
  const stand = await Stand.open({
    hosts: hosts.filter((host) => host !== "stranger"),
    options: (host) => ({
      dataDir: join(root, host, "data"),
      blobs: blobs.get(host)?.own,
      url: blobs.get(host)?.url ?? "",
      remote: {},
    }),
  });
  const { ddfs } = stand.master;
  return {
    root,
    stand,
    ddfs,
    async [Symbol.asyncDispose]() {
      await stand[Symbol.asyncDispose]();
      for (const server of servers) await server.close();
      for (const { own } of blobs.values()) await own.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function untilAsync(reached: () => Promise<boolean>): Promise<void> {
  while (!(await reached())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function push(ddfs: DdfsApi, text: string, include: readonly string[] = []): Promise<string[]> {
  const targets = await ddfs.newBlob("data", { replicas: Math.max(1, include.length), include });
  return await Promise.all(targets.map(async (target) => (await ddfs.putBlob(target, chunked(Buffer.from(text)))).url));
}

async function read(ddfs: DdfsApi, url: string): Promise<string> {
  let text = "";
  for await (const chunk of (await ddfs.openBlob(url)).body as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

test("a volume that vanishes is out, as the master hears; its node stays and takes blobs on the other", async () => {
  await using disks = await openDisks(["n1", "n2"]);
  const { ddfs, root, stand } = disks;
  const troubles = async (): Promise<unknown> =>
    (await ddfs.space()).map(({ host, volumes }) => [host, ...volumes.map(({ trouble }) => trouble)]).toSorted();
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
