import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { chunked, freshObject } from "../../blobs/contract.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { OwnBlobs } from "./own-blobs.ts";
import { volumePlaces } from "./volume-places.ts";

const root = await mkdtemp(join(tmpdir(), "disco-places-"));
after(() => rm(root, { recursive: true, force: true }));
let n = 0;

async function disks(count: number): Promise<{ dataDir: string; folders: string[] }> {
  const base = join(root, String(n++));
  const folders = Array.from({ length: count }, (_, i) => join(base, `disk${i}`));
  for (const folder of [join(base, "data"), ...folders]) await mkdir(folder, { recursive: true });
  return { dataDir: join(base, "data"), folders };
}

async function names(dataDir: string, folders: readonly string[]): Promise<string[]> {
  return (await volumePlaces({ dataDir, first: "vol0", folders })).map(({ name }) => name);
}

it("gives folders numbers that stay with them, in whatever order and under whatever path they come", async () => {
  const { dataDir, folders } = await disks(3);
  const [a = "", b = "", c = ""] = folders;
  assert.deepEqual(await names(dataDir, [a, b]), ["vol0", "vol1", "vol2"]);
  assert.deepEqual(await names(dataDir, [b, c, a]), ["vol0", "vol2", "vol3", "vol1"]);
  assert.deepEqual(await names(dataDir, [b]), ["vol0", "vol2"]);
  // Mounted the other way round.
  await rename(a, `${a}.x`);
  await rename(b, a);
  await rename(`${a}.x`, b);
  assert.deepEqual(await names(dataDir, [a, b, c]), ["vol0", "vol2", "vol1", "vol3"]);
  assert.equal((await readFile(join(dataDir, "ddfs", "vol2", "volume"), "utf8")).includes('"vol2"'), true);
});

it("refuses a copy of a volume, and a folder that cannot be one", async () => {
  const { dataDir, folders } = await disks(2);
  const [a = "", b = ""] = folders;
  await names(dataDir, [a]);
  await mkdir(join(b, "ddfs"));
  await writeFile(join(b, "ddfs", "volume"), await readFile(join(a, "ddfs", "volume")));
  await assert.rejects(names(dataDir, [a, b]), { code: "bad-volume" });
  await assert.rejects(names(dataDir, [join(root, "nowhere")]), { code: "bad-volume" });
});

it("puts blobs on all disks, and finds each below the data directory by the path of its address", async () => {
  const { dataDir, folders } = await disks(2);
  const own = new OwnBlobs({ dataDir, folders });
  const blobs = await own.open();
  assert.deepEqual(
    (await own.look()).map(({ volume, trouble }) => [volume, trouble]),
    [
      ["vol0", null],
      ["vol1", null],
      ["vol2", null],
    ],
  );
  const object = freshObject();
  const { volume } = await blobs.put(object, chunked(Buffer.from("bytes")));
  const address = replicaAddress("n1", volume, object);
  assert.equal(parseBlobAddress(address)?.volume, volume);
  const file = join(dataDir, ...new URL(address).pathname.split("/").map(decodeURIComponent));
  assert.equal(await readFile(file, "utf8"), "bytes");
  await own.close();
});

it("writes nothing to the empty mount point of a disk that is away, nor to another node's disk", async () => {
  const { dataDir, folders } = await disks(2);
  const [a = "", b = ""] = folders;
  const first = new OwnBlobs({ dataDir, folders: [a, b] });
  await first.look();
  await first.close();
  // One is unmounted: what is there is the folder below. The other is exchanged for a disk of somebody else.
  await rename(a, `${a}.away`);
  await mkdir(a);
  await writeFile(join(b, "ddfs", "volume"), '{"volume":"vol2","node":"of somebody else"}\n');
  const again = new OwnBlobs({ dataDir, folders: [a, b] });
  const blobs = await again.open();
  assert.deepEqual(
    (await again.look()).map(({ trouble }) => trouble),
    [null, "gone", "another's"],
  );
  for (let i = 0; i < 3; i++) assert.equal((await blobs.put(freshObject(), chunked(Buffer.from("x")))).volume, "vol0");
  assert.deepEqual(await readdir(a), []);
  const page = await blobs.list(undefined, 100);
  assert.deepEqual([page.blobs.length, page.isLast, page.incomplete], [3, true, true]);
  await again.close();
});

it("belongs to the cluster that had it first", async () => {
  const { dataDir } = await disks(0);
  const own = new OwnBlobs({ dataDir });
  await own.belongTo(null);
  await own.belongTo("one");
  await own.belongTo("one");
  await assert.rejects(own.belongTo("two"), { code: "other-cluster" });
  await assert.rejects(new OwnBlobs({ dataDir }).belongTo(null), { code: "other-cluster" });
  assert.equal(await own.cluster(), "one");
  await own.close();
});
