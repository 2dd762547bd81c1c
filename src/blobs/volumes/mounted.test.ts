/** Volumes on file systems of their own, which fill up, turn read-only and are taken away: the system's own errors (faults 65, 66). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { bytesOf, chunked, freshObject } from "../contract.ts";
import { realDisk } from "./disk.ts";
import { Volumes } from "./volumes.ts";

const diskBytes = 2 ** 22;
const root = mkdtempSync(join(tmpdir(), "disco-mounted-"));
const [small, large] = [join(root, "small"), join(root, "large")];

/** Why there is no such disk here; `false` when there is. */
function mountFails(): string | false {
  if (process.platform !== "linux") return "only Linux has file systems in memory";
  for (const folder of [small, large]) mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "disco-test", small], { stdio: "pipe" });
    return false;
  } catch (error) {
    return `mounting a file system needs more rights: ${(error as Error).message.split("\n")[1] ?? ""}`;
  }
}

const skip = mountFails();

describe("volumes on disks of their own", { skip }, () => {
  let now = 0;
  let blobs: Volumes;

  const open = async (directories: readonly string[]): Promise<void> => {
    const places = directories.map((directory, i) => ({ name: `vol${i}`, directory }));
    blobs = new Volumes({ places, disk: realDisk, now: () => now });
    await blobs.begin();
  };
  const troubles = async (): Promise<unknown> => {
    now += 3_600_000;
    return (await blobs.volumes()).map(({ trouble }) => trouble);
  };

  before(() => open([small]));
  after(async () => {
    await blobs.close();
    execFileSync("umount", ["--lazy", small]);
    rmSync(root, { recursive: true, force: true });
  });

  it("when full refuse what has no room, keep what they have, and leave nothing of what broke off", async () => {
    const bytes = Buffer.alloc(diskBytes / 2, "x");
    const kept = freshObject();
    await blobs.put(kept, chunked(bytes, 100_000));
    await assert.rejects(blobs.put(freshObject(), chunked(bytes, 100_000), { size: diskBytes }), { code: "disk-full" });
    // Without its length it is noticed by the disk alone.
    await assert.rejects(blobs.put(freshObject(), chunked(Buffer.alloc(diskBytes), 100_000)), { code: "disk-full" });
    assert.deepEqual(await bytesOf((await blobs.open(kept))?.body ?? chunked(bytes)), bytes);
    assert.equal((await blobs.list(undefined, 10)).blobs.length, 1);
    const files = (await readdir(small, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.equal(files.length, 2);
    assert.deepEqual(await troubles(), [null]);
    await blobs.put(freshObject(), chunked(Buffer.alloc(1_000)), { size: 1_000 });
  });

  it("when they turn read-only are read still, and others take what comes", async () => {
    await open([small, large]);
    const before = (await blobs.list(undefined, 10)).blobs;
    execFileSync("mount", ["-o", "remount,ro", small]);
    assert.deepEqual(await troubles(), ["read-only", null]);
    assert.equal((await blobs.put(freshObject(), chunked(Buffer.from("x")))).volume, "vol1");
    const page = await blobs.list(undefined, 10);
    assert.deepEqual([page.incomplete, page.blobs.length], [false, before.length + 1]);
    for (const { object, volume } of before) assert.equal(await blobs.verify(object, volume), "sound");
    await assert.rejects(blobs.delete(before[0]?.object ?? "", "vol0", Number.POSITIVE_INFINITY), { code: "EROFS" });
    execFileSync("mount", ["-o", "remount,rw", small]);
    assert.deepEqual(await troubles(), [null, null]);
  });

  it("when they are taken away are out, and nothing is written below where they were", async () => {
    execFileSync("umount", ["--lazy", small]);
    assert.deepEqual(await troubles(), ["gone", null]);
    for (let i = 0; i < 3; i++)
      assert.equal((await blobs.put(freshObject(), chunked(Buffer.from("x")))).volume, "vol1");
    assert.deepEqual(await readdir(small), []);
    assert.equal((await blobs.list(undefined, 10)).incomplete, true);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "disco-test", small]);
    // Another disk: nobody knows of it that it is to be a volume.
    assert.deepEqual(await troubles(), ["gone", null]);
  });
});
