/** Garbage collection of one machine, over real volumes: days pass by the clock of the process. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import type { MasterApi } from "../../client/master-api.ts";
import { openEmbedded } from "../embedded.ts";

const dayMs = 24 * 60 * 60_000;

async function store({ ddfs }: MasterApi, name: string, text: string): Promise<string> {
  const [target] = await ddfs.newBlob(name);
  assert.ok(target !== undefined);
  return (await ddfs.putBlob(target, Readable.from([Buffer.from(text)]))).url;
}

async function collect({ ddfs }: MasterApi): Promise<void> {
  await ddfs.gcStart();
  while ((await ddfs.gcStatus()).phase !== null) await new Promise((resolve) => setImmediate(resolve));
}

describe("garbage collection of an embedded engine", () => {
  let root: string;
  let engine: MasterApi;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-own-garbage-"));
    engine = await openEmbedded({ root, slots: 1 });
  });
  afterEach(async () => {
    mock.timers.reset();
    await engine.close();
    await rm(root, { recursive: true, force: true });
  });

  it("deletes blobs that no tag has named for days, and refuses to tag them", async () => {
    const { ddfs } = engine;
    const kept = await store(engine, "kept", "a");
    const dead = await store(engine, "dead", "b");
    await ddfs.link("t", [[kept]]);
    await collect(engine);
    assert.deepEqual((await ddfs.gcStats())?.stats.blobsDeleted, [0, 0]);
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 6 * dayMs });
    await collect(engine);
    assert.deepEqual((await ddfs.gcStats())?.stats.blobsDeleted, [1, 1]);
    await assert.rejects(ddfs.openBlob(dead), { code: "no-such-blob" });
    assert.ok(await ddfs.statBlob(kept));
    await assert.rejects(ddfs.link("t", [[dead]]), { code: "blob-condemned" });
    assert.deepEqual(await Array.fromAsync(ddfs.fsck()), []);
  });

  it("finds a flipped bit by reading all blobs, and says that it was the only replica", async () => {
    const { ddfs } = engine;
    const url = await store(engine, "x", "some bytes");
    await ddfs.link("t", [[url]]);
    const [file] = globSync(`data/ddfs/*/blob/*/${url.split("/").at(-1)}`, { cwd: root });
    assert.ok(file !== undefined);
    await rm(join(root, file));
    await writeFile(join(root, file), "some bytez");
    await ddfs.scrubStart();
    const ended = async (): Promise<boolean> =>
      (await ddfs.scrubStatus()).every(({ running, finishedAt }) => !running && finishedAt !== null);
    while (!(await ended())) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await ddfs.scrubStatus())[0]?.damaged.length, 1);
    const kinds = (await Array.fromAsync(ddfs.fsck())).map(({ kind }) => kind);
    assert.deepEqual(kinds, ["lost", "damaged"]);
  });
});
