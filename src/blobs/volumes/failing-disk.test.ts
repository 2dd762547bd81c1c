import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import { bytesOf, chunked, freshObject } from "../contract.ts";
import { blobFile } from "./layout.ts";
import { RecordedDisk } from "./recorded-disk.test-kit.ts";
import { Volumes } from "./volumes.ts";

const directories = ["/vol0", "/vol1"];
const bytes = Buffer.from("the bytes of a blob");
/** Calls that change something, or make it last. */
const changes = new Set(["create", "write", "sync", "close", "rename", "mkdir", "protect", "syncDirectory"]);

interface Opened {
  readonly disk: RecordedDisk;
  readonly blobs: Volumes;
  readonly damaged: DamagedBlob[];
  /** Milliseconds. */
  pass(ms: number): void;
}

async function openOn(disk: RecordedDisk, count = directories.length, reserveBytes = 0): Promise<Opened> {
  let now = 1_000_000;
  const damaged: DamagedBlob[] = [];
  const places = directories.slice(0, count).map((directory) => ({ name: directory.slice(1), directory }));
  const found = (blob: DamagedBlob): unknown => damaged.push(blob);
  const blobs = new Volumes({ places, disk, now: () => now, reserveBytes, found });
  await blobs.begin();
  await blobs.swept();
  return { disk, blobs, damaged, pass: (ms) => (now += ms) };
}

async function read(blobs: Volumes, object: string): Promise<Buffer | null> {
  const opened = await blobs.open(object);
  return opened === null ? null : await bytesOf(opened.body);
}

function partials(disk: RecordedDisk): string[] {
  return disk.paths().filter((path) => path.includes("/!"));
}

describe("a disk whose calls fail", () => {
  // Each call of an upload fails once, in each way; then the power goes.
  for (const code of ["EIO", "ENOSPC", "EROFS", "ENOENT"]) {
    it(`leaves an upload whole or not there, whichever call it is that fails with ${code}, and never believes a sync again`, async () => {
      let failures = 0;
      for (let n = 0; ; n++) {
        const { disk, blobs, pass } = await openOn(new RecordedDisk(directories), 1);
        const first = disk.calls.length;
        const object = freshObject();
        let failed = "";
        disk.fail = (call, path, at) => {
          if (at !== first + n || !changes.has(call)) return null;
          failed = `${call} ${path}`;
          return code;
        };
        const outcome = await blobs.put(object, chunked(bytes)).then(
          () => "stored",
          (error: unknown) => error,
        );
        disk.fail = () => null;
        if (n >= disk.calls.length - first && failed === "") break;
        if (failed === "") continue;
        failures++;
        assert.notEqual(outcome, "stored", failed);
        if (code === "ENOSPC" && outcome !== "stored")
          assert.ok(outcome instanceof DiscoError && outcome.code === "disk-full", failed);
        const image = disk.afterPowerCut(disk.steps.length, directories, () => false);
        const { blobs: later } = await openOn(image, 1);
        if (outcome === "stored") assert.deepEqual(await read(later, object), bytes, failed);
        else assert.equal(await read(blobs, object), null, failed);
        for (const one of (await later.list(undefined, 10)).blobs)
          assert.deepEqual(await read(later, one.object), bytes);
        assert.deepEqual(partials(image), []);
        assert.deepEqual(partials(disk), [], failed);
        pass(60_000);
        if (code === "ENOSPC" || code === "EIO")
          assert.equal((await blobs.put(object, chunked(bytes))).size, bytes.length);
      }
      assert.ok(failures >= 13, String(failures));
    });
  }

  it("has the upload go to another volume, where none of it was read yet; the one that failed is left out, and taken again when it works", async () => {
    const { disk, blobs, pass } = await openOn(new RecordedDisk(directories));
    disk.fail = (call, path) => (path.startsWith("/vol0/blob") && call === "create" ? "EROFS" : null);
    assert.equal((await blobs.put(freshObject(), chunked(bytes))).volume, "vol1");
    const troubles = async (): Promise<unknown> => (await blobs.volumes()).map(({ trouble }) => trouble);
    assert.deepEqual(await troubles(), ["read-only", null]);
    // Being looked at, it cannot be written to still.
    pass(5_000);
    assert.deepEqual(await troubles(), ["read-only", null]);
    disk.fail = () => null;
    pass(1_000);
    assert.deepEqual(await troubles(), ["read-only", null]);
    pass(10_000);
    assert.deepEqual(await troubles(), [null, null]);
    assert.deepEqual(partials(disk), []);
  });

  it("keeps serving the other volumes when one vanishes, makes nothing anew in its place, and says that its list has gaps", async () => {
    const { disk, blobs, pass } = await openOn(new RecordedDisk(directories));
    disk.fail = (call, path) => (path.startsWith("/vol1/blob") && call === "create" ? "EIO" : null);
    const gone = freshObject();
    await blobs.put(gone, chunked(bytes));
    disk.fail = (call, path) => (path.startsWith("/vol0/blob") && call === "create" ? "EIO" : null);
    pass(60_000);
    const kept = freshObject();
    assert.equal((await blobs.put(kept, chunked(bytes))).volume, "vol1");
    disk.fail = () => null;
    disk.vanish("/vol0");
    pass(60_000);
    for (let i = 0; i < 3; i++) assert.equal((await blobs.put(freshObject(), chunked(bytes))).volume, "vol1");
    assert.deepEqual(await read(blobs, kept), bytes);
    assert.deepEqual(
      disk.paths().filter((path) => path.startsWith("/vol0")),
      [],
    );
    const page = await blobs.list(undefined, 100);
    assert.deepEqual([page.incomplete, page.blobs.length], [true, 4]);
    assert.equal((await blobs.volumes())[0]?.trouble, "gone");
    await assert.rejects(blobs.delete(gone, "vol0", Number.POSITIVE_INFINITY));
  });

  it("says which volumes are in trouble when none is left", async () => {
    const { disk, blobs } = await openOn(new RecordedDisk(directories));
    disk.fail = (call) => (call === "create" ? "EIO" : null);
    await assert.rejects(blobs.put(freshObject(), chunked(bytes)), {
      code: "no-volume",
      message: /vol0 is failing, vol1 is failing/,
    });
  });

  it("refuses what there is no room for before a byte is read, and promises no room twice", async () => {
    const disk = new RecordedDisk(directories);
    disk.freeBytes = 1_000;
    const { blobs, pass } = await openOn(disk, 1, 100);
    let isRead = false;
    async function* noticed(): AsyncGenerator<Uint8Array> {
      isRead = true;
      yield bytes;
    }
    await assert.rejects(blobs.put(freshObject(), noticed(), { size: 901 }), { code: "disk-full" });
    assert.equal(isRead, false);
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      await gate.promise;
      yield Buffer.alloc(600);
    }
    const first = blobs.put(freshObject(), slow(), { size: 600 });
    await assert.rejects(blobs.put(freshObject(), chunked(Buffer.alloc(600)), { size: 600 }), { code: "disk-full" });
    await blobs.put(freshObject(), chunked(Buffer.alloc(200)), { size: 200 });
    gate.resolve();
    await first;
    pass(5_000);
    await assert.rejects(blobs.put(freshObject(), chunked(bytes), { size: 150 }), { code: "disk-full" });
    // One that does not say how long it is finds out in the middle; what was there stays as it is.
    await assert.rejects(blobs.put(freshObject(), chunked(Buffer.alloc(500))), { code: "disk-full" });
    assert.deepEqual(partials(disk), []);
    assert.equal((await blobs.list(undefined, 10)).blobs.length, 2);
    pass(5_000);
    assert.equal((await blobs.volumes())[0]?.trouble, "full");
    disk.freeBytes = 5_000;
    pass(5_000);
    await blobs.put(freshObject(), chunked(Buffer.alloc(500)), { size: 500 });
  });

  it("lists as many as a page may have, past those that turn out damaged", async () => {
    const { disk, blobs, damaged } = await openOn(new RecordedDisk(directories), 1);
    const objects = Array.from({ length: 40 }, () => freshObject());
    for (const object of objects) await blobs.put(object, chunked(bytes));
    const all = (await blobs.list(undefined, 100)).blobs.map(({ object }) => object);
    const bad = new Set(all.slice(0, 30));
    for (const object of bad) disk.spoil(blobFile("/vol0", object), (content) => content.subarray(1));
    const seen: string[] = [];
    for (let page = await blobs.list(undefined, 3); ; page = await blobs.list(page.blobs.at(-1), 3)) {
      seen.push(...page.blobs.map(({ object }) => object));
      if (page.isLast) break;
      assert.equal(page.blobs.length, 3);
    }
    assert.deepEqual(seen, all.slice(30));
    assert.deepEqual(new Set(damaged.map(({ object }) => object)), bad);
  });

  it("is not a damaged blob's fault: one that cannot be read any more is set aside and told, the volume stays", async () => {
    const { disk, blobs, damaged } = await openOn(new RecordedDisk(directories), 1);
    const objects = [freshObject(), freshObject()];
    for (const object of objects) await blobs.put(object, chunked(bytes));
    const [stuck = "", sound = ""] = objects;
    disk.fail = (call, path) => (call === "read" && path.includes(stuck) ? "EIO" : null);
    assert.equal(await blobs.stat(stuck), null);
    assert.deepEqual(damaged, [{ object: stuck, volume: "vol0", found: "read" }]);
    assert.deepEqual(await read(blobs, sound), bytes);
    assert.equal((await blobs.volumes())[0]?.trouble, null);
    assert.ok(disk.paths().some((path) => path.startsWith(`${blobFile("/vol0", stuck)}.damaged-`)));
  });
});

describe("a power cut", () => {
  it("after any step leaves what was stored whole, and lists nothing that is not (fault 68)", async () => {
    const disk = new RecordedDisk(directories);
    const { blobs } = await openOn(disk);
    const contents = new Map<string, Buffer>();
    /** What there has to be, from which step on. */
    const promises: { readonly at: number; readonly until: number; readonly object: string }[] = [];
    const store = async (size: number): Promise<string> => {
      const object = freshObject();
      contents.set(object, Buffer.alloc(size, object));
      await blobs.put(object, chunked(contents.get(object) ?? bytes, 11));
      promises.push({ at: disk.steps.length, until: Number.POSITIVE_INFINITY, object });
      return object;
    };
    const objects: string[] = [];
    for (const size of [0, 40, 100]) objects.push(await store(size));
    await Promise.all([store(10), store(20), store(30)]);
    // One that breaks off, and one that is deleted.
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw new Error("cut");
    }
    await assert.rejects(blobs.put(freshObject(), broken()));
    const [, deleted = ""] = objects;
    const index = promises.findIndex(({ object }) => object === deleted);
    promises[index] = { at: promises[index]?.at ?? 0, until: disk.steps.length, object: deleted };
    await blobs.delete(deleted, (await blobs.stat(deleted))?.volume ?? "", Number.POSITIVE_INFINITY);
    const random = mulberry(7);
    let images = 0;
    for (let steps = 0; steps <= disk.steps.length; steps++) {
      for (const fate of [() => false, () => true, ...Array.from({ length: 8 }, () => () => random() < 0.5)]) {
        const image = disk.afterPowerCut(steps, directories, fate);
        const { blobs: later } = await openOn(image);
        images++;
        for (const { at, until, object } of promises) {
          if (steps < at || steps > until) continue;
          assert.deepEqual(await read(later, object), contents.get(object), `${object} after ${steps} steps`);
        }
        for (const { object, digest, size } of (await later.list(undefined, 100)).blobs) {
          const there = await read(later, object);
          assert.deepEqual(there, contents.get(object));
          assert.deepEqual([there?.length, digest.length], [size, 64]);
        }
        assert.deepEqual(partials(image), []);
      }
    }
    assert.ok(images >= 800, String(images));
  });
});

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
