import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { chunked, freshObject } from "../../blobs/contract.ts";
import { OwnBlobs } from "./own-blobs.ts";

it("gives each engine in memory a volume of its own, which goes with it, and removes those of dead processes", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "disco-scratch-"));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  // No process has that number.
  await mkdir(join(dataDir, "ddfs", "vol2000", "blob"), { recursive: true });
  await writeFile(join(dataDir, "ddfs", "vol2000", "owner"), String(2 ** 30));
  await mkdir(join(dataDir, "ddfs", "vol2001"));
  const engines = [0, 1].map(() => new OwnBlobs({ dataDir, scratch: true }));
  const volumes: string[] = [];
  for (const engine of engines) {
    assert.equal(await engine.cluster(), null);
    volumes.push((await (await engine.open()).put(freshObject(), chunked(Buffer.from("x")))).volume);
    await engine.belongTo(`cluster of ${volumes.at(-1)}`);
  }
  assert.deepEqual(volumes, ["vol2000", "vol2002"]);
  assert.equal((await (await engines[0]?.open())?.list(undefined, 10))?.blobs.length, 1);
  for (const engine of engines) await engine.close();
  assert.deepEqual(await readdir(join(dataDir, "ddfs")), ["vol2001"]);
});
