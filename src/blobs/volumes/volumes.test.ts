import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { blobsContract, bytesOf, chunked, freshObject } from "../contract.ts";
import { realDisk } from "./disk.ts";
import { blobFile, directoryOf, hashOf } from "./layout.ts";
import { Volumes } from "./volumes.ts";

async function openVolumes(
  count = 1,
): Promise<{ blobs: Volumes; root: string; found: string[]; dispose(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "disco-volumes-"));
  const places = Array.from({ length: count }, (_, i) => ({ name: `vol${i}`, directory: join(root, `vol${i}`) }));
  for (const { directory } of places) await mkdir(directory);
  const found: string[] = [];
  const blobs = new Volumes({ places, disk: realDisk, now: Date.now, found: ({ object }) => found.push(object) });
  await blobs.begin();
  const dispose = async (): Promise<void> => {
    await blobs.close();
    await rm(root, { recursive: true, force: true });
  };
  return { blobs, root, found, dispose };
}

blobsContract("one volume", () => openVolumes());
blobsContract("three volumes", () => openVolumes(3));

describe("a volume", () => {
  it("notices every flipped byte and every truncation of a small blob, and serves none to its end (faults 54, 55)", async () => {
    const { blobs, root, found, dispose } = await openVolumes();
    try {
      const bytes = Buffer.from("a small blob, all of whose bytes matter");
      const object = freshObject();
      const file = blobFile(join(root, "vol0"), object);
      for (let i = 0; i < bytes.length; i++) {
        for (const spoil of [
          async () => {
            const flipped = Buffer.from(bytes);
            flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
            await writeFile(file, flipped);
          },
          () => truncate(file, i),
        ]) {
          await blobs.put(object, chunked(bytes));
          await chmod(file, 0o600);
          await spoil();
          const opened = await blobs.open(object);
          if (opened !== null) await assert.rejects(bytesOf(opened.body), { code: "blob-damaged" });
          assert.equal(await blobs.stat(object), null);
        }
      }
      assert.equal(found.length, bytes.length * 2);
    } finally {
      await dispose();
    }
  });

  it("sweeps at its start what uploads have left that never ended (fault 63)", async () => {
    const { blobs, root, dispose } = await openVolumes();
    try {
      const object = freshObject();
      const directory = directoryOf(join(root, "vol0"), hashOf(object));
      await blobs.put(object, chunked(Buffer.from("x")));
      await writeFile(join(directory, "!partial-1"), "half");
      const again = new Volumes({
        places: [{ name: "vol0", directory: join(root, "vol0") }],
        disk: realDisk,
        now: Date.now,
      });
      await again.begin();
      await again.swept();
      assert.deepEqual(
        (await readdir(directory)).filter((name) => name.startsWith("!")),
        [],
      );
      assert.equal((await readFile(blobFile(join(root, "vol0"), object))).toString(), "x");
    } finally {
      await dispose();
    }
  });
});
