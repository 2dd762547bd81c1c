import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { chunked, freshObject, sha256 } from "../../blobs/contract.ts";
import { blobFile } from "../../blobs/volumes/layout.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { type NodeDataServer, serveNodeData } from "../data-server/serve.ts";
import { Peers } from "../fetch/peers.ts";
import { jobDirectory } from "../job-directory.ts";
import { BlobRequests } from "./blob-requests.ts";
import { OwnBlobs } from "./own-blobs.ts";

const root = await mkdtemp(join(tmpdir(), "disco-blob-requests-"));
const epoch = 1;
const token = "cluster";
const urls: Record<string, string> = {};

/** Nodes that were looked for, in their order. */
const looked: string[] = [];

function urlOf(host: string): string | undefined {
  looked.push(host);
  return urls[host];
}

interface TestNode {
  readonly host: string;
  readonly dataDir: string;
  readonly blobs: OwnBlobs;
  readonly requests: BlobRequests;
  readonly damaged: DamagedBlob[];
  readonly server: NodeDataServer;
}

const opened: TestNode[] = [];

async function openNode(host: string): Promise<TestNode> {
  const dataDir = join(root, host);
  await mkdir(dataDir);
  const blobs = new OwnBlobs({ dataDir });
  const peers = new Peers({ urlOf, token });
  const server = await serveNodeData({
    dataDir,
    node: host,
    blobs,
    host: "127.0.0.1",
    port: 0,
    tokens: { admin: token },
  });
  urls[host] = server.url;
  const damaged: DamagedBlob[] = [];
  blobs.onDamage((blob) => damaged.push(blob));
  const requests = new BlobRequests({ blobs, host, dataDir, peers });
  const node = { host, dataDir, blobs, requests, damaged, server };
  opened.push(node);
  return node;
}

const one = await openNode("n1");
const two = await openNode("n2");

after(async () => {
  for (const { requests, server, blobs } of opened) {
    await requests.close();
    await server.close();
    await blobs.close();
  }
  await rm(root, { recursive: true, force: true });
});

async function stored(node: TestNode, bytes: Uint8Array, object = freshObject()): Promise<string> {
  await (await node.blobs.open()).put(object, chunked(bytes, 50_000));
  return object;
}

async function spoil({ dataDir }: TestNode, object: string): Promise<void> {
  const file = blobFile(join(dataDir, "ddfs", "vol0"), object);
  await chmod(file, 0o600);
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
  await writeFile(file, bytes);
}

describe("what masters have a node do with its blobs", () => {
  it("copies a blob from another node, once for all who ask, and checks it", async () => {
    const bytes = randomBytes(300_000);
    const object = await stored(one, bytes);
    const copy = { epoch, object, sources: [replicaAddress("n1", "vol0", object)], digest: sha256(bytes) };
    const [a, b] = await Promise.all([two.requests.copy(copy), two.requests.copy(copy)]);
    assert.equal(a, b);
    assert.deepEqual([a.size, a.digest], [bytes.length, sha256(bytes)]);
    assert.deepEqual(await two.requests.copy(copy), a);
  });

  it("takes the next source where one is damaged, away or without the blob, and says when none is left", async () => {
    const bytes = randomBytes(2_500_000);
    const object = await stored(one, bytes);
    const three = await openNode("n3");
    await stored(three, bytes, object);
    await spoil(one, object);
    const sources = ["n9", "n2", "n1", "n3"].map((host) => replicaAddress(host, "vol0", object));
    const copied = await two.requests.copy({ epoch, object, sources, digest: null });
    assert.equal(copied.digest, sha256(bytes));
    assert.deepEqual(one.damaged, [{ object, volume: "vol0", found: "read" }]);
    const lost = freshObject();
    const asked = { epoch, object: lost, sources: [replicaAddress("n1", "vol0", lost)], digest: null };
    await assert.rejects(two.requests.copy(asked), { code: "no-such-blob" });
    await assert.rejects(two.requests.copy({ ...asked, sources: [] }), { code: "unknown-peer" });
    const other = await stored(three, Buffer.from("other bytes"));
    const wrong = { epoch, object: other, sources: [replicaAddress("n3", "vol0", other)], digest: sha256(bytes) };
    await assert.rejects(two.requests.copy(wrong), { code: "digest-mismatch" });
    assert.equal(await (await two.blobs.open()).stat(other), null);
  });

  it("waits a moment for a source that it has not heard of yet", async () => {
    const bytes = randomBytes(1_000);
    const late = await openNode("late");
    const object = await stored(late, bytes);
    const url = urls["late"] ?? "";
    delete urls["late"];
    const copying = two.requests.copy({
      epoch,
      object,
      sources: [replicaAddress("late", "vol0", object)],
      digest: null,
    });
    while (!looked.includes("late")) await new Promise((resolve) => setImmediate(resolve));
    urls["late"] = url;
    assert.equal((await copying).digest, sha256(bytes));
  });

  it("adopts a file of a job, once, and no other file", async () => {
    const file = `${jobDirectory("n1", "count@1")}/part-0`;
    await mkdir(dirname(join(one.dataDir, file)), { recursive: true });
    await writeFile(join(one.dataDir, file), "results");
    await writeFile(join(root, "secret"), "secret");
    await symlink(join(root, "secret"), join(one.dataDir, `${file}-link`));
    const object = freshObject();
    const adopted = await one.requests.adopt({ epoch, object, file });
    assert.equal(adopted.digest, sha256(Buffer.from("results")));
    await rm(join(one.dataDir, file));
    assert.deepEqual(await one.requests.adopt({ epoch, object, file }), adopted);
    const bad = [
      file,
      `${file}-link`,
      `../n1/${file}`,
      "ddfs/vol0/volume",
      "n1/00/count@1/part-0",
      `${file}/..`,
      "",
      "/etc/passwd",
    ];
    for (const wrong of bad)
      await assert.rejects(one.requests.adopt({ epoch, object: freshObject(), file: wrong }), { code: "no-such-file" });
  });

  it("lists in pages, and deletes what is old enough, for no collection that is over", async () => {
    const objects = await Promise.all(Array.from({ length: 30 }, () => stored(one, Buffer.from("x"))));
    const { blobs, isLast, incomplete, volumes, cluster } = await one.requests.list({ epoch, gc: 5 });
    assert.deepEqual([isLast, incomplete, cluster, volumes.length], [true, false, null, 1]);
    assert.ok(objects.every((object) => blobs.some((blob) => blob.object === object)));
    const half = await one.requests.list({ epoch, hashes: { from: 0, to: 127 } });
    const rest = await one.requests.list({ epoch, hashes: { from: 128, to: 255 } });
    assert.deepEqual([...half.blobs, ...rest.blobs], blobs);
    const named = objects.map((object) => ({ object, volume: "vol0" }));
    await assert.rejects(one.requests.delete({ epoch, gc: 4, graceMs: 0, blobs: named }), { code: "old-gc" });
    const young = await one.requests.delete({ epoch, gc: 5, graceMs: 60_000, blobs: named });
    assert.deepEqual([young.gone.length, young.kept.length], [0, 30]);
    const gone = await one.requests.delete({ epoch, gc: 5, graceMs: -60_000, blobs: named });
    assert.deepEqual([...gone.gone].sort(), [...objects].sort());
    const again = await one.requests.delete({ epoch, gc: 6, graceMs: -60_000, blobs: named });
    assert.equal(again.gone.length, 30);
  });

  it("scrubs all blobs, tells of those that are damaged, and goes on where it was broken off", async () => {
    const four = await openNode("n4");
    const objects: string[] = [];
    for (let i = 0; i < 20; i++) objects.push(await stored(four, randomBytes(10_000)));
    const [flipped = "", cut = ""] = objects;
    await spoil(four, flipped);
    await chmod(blobFile(join(four.dataDir, "ddfs", "vol0"), cut), 0o600);
    await truncate(blobFile(join(four.dataDir, "ddfs", "vol0"), cut), 17);
    const status = (): ReturnType<BlobRequests["scrub"]> => four.requests.scrub({ epoch, action: "status" });
    assert.deepEqual([(await status()).running, (await status()).finishedAt], [false, null]);
    // So slowly that it is broken off in the middle.
    await four.requests.scrub({ epoch, action: "start", bytesPerSecond: 40_000 });
    while ((await status()).blobs < 2) await new Promise((resolve) => setImmediate(resolve));
    const stopped = await four.requests.scrub({ epoch, action: "stop" });
    assert.ok(!stopped.running && stopped.blobs < 20);
    const later = new BlobRequests({ blobs: four.blobs, host: "n4", dataDir: four.dataDir, peers: null });
    assert.equal((await later.scrub({ epoch, action: "status" })).blobs, stopped.blobs);
    await later.scrub({ epoch, action: "start", bytesPerSecond: 1e9 });
    while ((await later.scrub({ epoch, action: "status" })).running)
      await new Promise((resolve) => setImmediate(resolve));
    const { damaged, finishedAt, blobs } = await later.scrub({ epoch, action: "status" });
    assert.ok(finishedAt !== null && blobs >= 18);
    assert.deepEqual(four.damaged.map(({ object }) => object).sort(), [flipped, cut].sort());
    assert.deepEqual([...damaged].sort(), [flipped, cut].sort());
    assert.equal(await four.requests.verify({ epoch, object: flipped, volume: "vol0" }), "missing");
    assert.equal(await four.requests.verify({ epoch, object: objects[5] ?? "", volume: "vol0" }), "sound");
    await later.close();
  });

  it("goes on scrubbing where a disk is too full to keep how far it is", { timeout: 20_000 }, async () => {
    const five = await openNode("n5");
    // More than are read before it is to be kept.
    const blobs = 258;
    for (let i = 0; i < blobs; i++) await stored(five, randomBytes(10));
    // In the way of the file that is to be written.
    await mkdir(join(five.dataDir, "ddfs", "scrub.json.partial"));
    const scrub = (action: "start" | "status"): ReturnType<BlobRequests["scrub"]> =>
      five.requests.scrub({ epoch, action, bytesPerSecond: 1e9 });
    let status = await scrub("start");
    for (; status.running; status = await scrub("status")) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(status.blobs, blobs);
  });
});
