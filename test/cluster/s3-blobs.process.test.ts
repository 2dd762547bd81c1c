/** Blobs of DDFS in a real S3 server: what every store of blobs does, and what can go wrong on the way to S3 (fault 69). */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { blobsContract, bytesOf, chunked, freshObject, sha256 } from "../../src/blobs/contract.ts";
import { S3Blobs } from "../../src/blobs/s3/s3-blobs.ts";
import { Layout } from "../../src/blobs/s3/s3-layout.ts";
import { abandonedMs, sweep } from "../../src/blobs/s3/sweep.ts";
import { parseBlobAddress } from "../../src/core/ddfs/names.ts";
import type { DamagedBlob } from "../../src/protocol/ddfs/messages.ts";
import { replicaAddress } from "../../src/protocol/ddfs/replica-address.ts";
import { parseS3Place, type S3Place } from "../../src/s3/address.ts";
import type { S3Connection } from "../../src/s3/connection.ts";
import { type Fault, FaultProxy, type Passing } from "../../src/s3/fault-proxy.test-kit.ts";
import { listAll } from "../../src/s3/listing.ts";
import { headObject, putObject } from "../../src/s3/objects.ts";
import { Radosgw, whyNoRadosgw } from "../../src/s3/radosgw.test-kit.ts";
import { beginUpload, listUploads, uploadPart } from "../../src/s3/uploads.ts";

const skip = whyNoRadosgw() ?? false;
const mebibyte = 1024 * 1024;
let started: Promise<Radosgw> | null = null;
let stores = 0;

/** One for all tests of this file. */
async function server(): Promise<Radosgw> {
  started ??= Radosgw.start().then(async (radosgw) => {
    await radosgw.makeBucket("blobs");
    return radosgw;
  });
  return await started;
}

function freshPlace(): S3Place {
  return parseS3Place(`s3://blobs/store-${stores++}`);
}

after(async () => {
  await (await started)?.[Symbol.asyncDispose]();
});

describe("with radosgw", { skip, timeout: 240_000 }, () => {
  blobsContract("S3", async () => {
    const connection = (await server()).connect();
    const blobs = new S3Blobs({ connection, place: freshPlace() });
    return { blobs, dispose: () => blobs.close() };
  });
});

describe("blobs in S3", { skip, timeout: 240_000 }, () => {
  let proxy: FaultProxy;
  let direct: S3Connection;
  let place: S3Place;
  let layout: Layout;
  let blobs: S3Blobs;
  let damage: DamagedBlob[] = [];

  before(async () => {
    const radosgw = await server();
    direct = radosgw.connect();
    proxy = await FaultProxy.start(radosgw.endpoint);
  });

  beforeEach(async () => {
    place = freshPlace();
    layout = new Layout(place);
    damage = [];
    proxy.fault = () => null;
    const connection = (await server()).connect(proxy.endpoint, { pause: () => delay(1) });
    blobs = new S3Blobs({ connection, place, found: (blob) => damage.push(blob) });
  });

  after(async () => {
    await proxy?.[Symbol.asyncDispose]();
  });

  /** The first request of each that is so fails so. */
  function failOnce(isSuch: (request: Passing) => boolean, fault: Fault): () => number {
    const failed = new Set<string>();
    proxy.fault = (request) => {
      const which = `${request.method} ${request.path} ${request.headers.range ?? ""}`;
      if (failed.has(which) || !isSuch(request)) return null;
      failed.add(which);
      return fault;
    };
    return () => failed.size;
  }

  async function keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of listAll(direct, place)) found.push(key.slice(place.prefix.length));
    return found;
  }

  async function uploads(): Promise<number> {
    let count = 0;
    for await (const _ of listUploads(direct, place)) count++;
    return count;
  }

  it("that are large go in parts, while they come, and are checked when they are read", async () => {
    const bytes = randomBytes(30 * mebibyte + 17);
    const object = freshObject("large");
    const stored = await blobs.put(object, chunked(bytes, 300_000));
    assert.deepEqual([stored.size, stored.digest], [bytes.length, sha256(bytes)]);
    assert.equal(proxy.seen.filter(({ path }) => path.includes("partNumber=")).length, 4);
    const opened = await blobs.open(object);
    assert.ok(opened !== null && (await bytesOf(opened.body)).equals(bytes));
    const part = await blobs.open(object, { from: 9 * mebibyte, to: 9 * mebibyte + 1_000 });
    assert.deepEqual(
      await bytesOf(part?.body ?? chunked(Buffer.of())),
      bytes.subarray(9 * mebibyte, 9 * mebibyte + 1_000),
    );
    assert.deepEqual(await blobs.stat(object), stored);
    assert.equal(await blobs.verify(object, "vol0"), "sound");
    const address = `s3://blobs/${layout.blob(object).key}`;
    const host = `s3://blobs/${place.prefix.slice(0, -1)}`;
    assert.equal(replicaAddress(host, stored.volume, object), address);
    assert.deepEqual(parseBlobAddress(address), { host, volume: stored.volume, object });
    // The same again, and other bytes.
    assert.equal((await blobs.put(object, chunked(bytes, 300_000))).digest, stored.digest);
    await assert.rejects(blobs.put(object, chunked(randomBytes(20 * mebibyte), 300_000)), { code: "blob-exists" });
    await assert.rejects(blobs.put(object, chunked(Buffer.from("small"))), { code: "blob-exists" });
    assert.equal(await uploads(), 0);
    assert.equal(await blobs.delete(object, "vol0", stored.storedAt), false);
    assert.equal(await blobs.delete(object, "vol0", Date.now() + 60_000), true);
    assert.deepEqual(await keys(), []);
  });

  it("are not there, nor any part of them, when they are cut off or are not what was announced", async () => {
    const object = freshObject("cut");
    const bytes = randomBytes(20 * mebibyte);
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw new Error("cut");
    }
    await assert.rejects(blobs.put(object, broken()), /cut/);
    await assert.rejects(blobs.put(object, chunked(bytes, mebibyte), { size: bytes.length + 1 }), { code: "cut-off" });
    await assert.rejects(blobs.put(object, chunked(bytes, mebibyte), { size: 1_000 }), { code: "cut-off" });
    const digest = sha256(Buffer.from("another"));
    await assert.rejects(blobs.put(object, chunked(bytes, mebibyte), { digest }), { code: "digest-mismatch" });
    assert.deepEqual([await keys(), await uploads()], [[], 0]);
  });

  it("come through throttling, errors, lost answers and cut connections", async () => {
    const bytes = randomBytes(20 * mebibyte);
    const faults: readonly (readonly [Fault, (request: Passing) => boolean])[] = [
      [{ kind: "refuse", status: 503, code: "SlowDown" }, () => true],
      [{ kind: "refuse", status: 500, code: "InternalError" }, ({ method }) => method !== "GET"],
      [{ kind: "lose-answer" }, ({ path }) => !path.includes("uploads=")],
      [{ kind: "cut", afterBytes: 100_000 }, ({ method }) => method === "GET"],
    ];
    for (const [fault, isSuch] of faults) {
      for (const size of [1_000, bytes.length]) {
        const object = freshObject("faults");
        const failed = failOnce(isSuch, fault);
        const stored = await blobs.put(object, chunked(bytes.subarray(0, size), mebibyte));
        assert.equal(stored.digest, sha256(bytes.subarray(0, size)), fault.kind);
        const opened = await blobs.open(object);
        assert.ok(opened !== null && (await bytesOf(opened.body)).equals(bytes.subarray(0, size)), fault.kind);
        assert.ok(failed() > 0, `${fault.kind} of ${size} bytes`);
        proxy.fault = () => null;
      }
    }
    assert.equal(await uploads(), 0);
    assert.deepEqual(damage, []);
  });

  it("whose bytes changed are found out when they are read or verified, set aside, and served no more", async () => {
    const bytes = randomBytes(9 * mebibyte);
    for (const size of [100, bytes.length]) {
      for (const find of ["read", "scrub"] as const) {
        const object = freshObject(find);
        const sent = bytes.subarray(0, size);
        await blobs.put(object, chunked(sent, mebibyte));
        const head = await headObject(direct, layout.blob(object));
        const rotten = Buffer.from(sent);
        rotten[size - 1] = (rotten[size - 1] ?? 0) ^ 1;
        await putObject(direct, layout.blob(object), rotten, { meta: { sha256: head?.meta("sha256") ?? "" } });
        if (find === "scrub") assert.equal(await blobs.verify(object, "vol0"), "damaged");
        else await assert.rejects(bytesOf((await blobs.open(object))?.body ?? chunked(sent)), { code: "blob-damaged" });
        assert.equal(await blobs.stat(object), null);
        assert.equal(await blobs.open(object), null);
        const aside = await headObject(direct, layout.damaged(object));
        assert.equal(aside?.size, size);
        assert.deepEqual(damage.splice(0), [{ object, volume: "vol0", found: find }]);
        // It can come again.
        assert.equal((await blobs.put(object, chunked(sent, mebibyte))).size, size);
      }
    }
  });

  it("that came wrong over the network once are asked for again, and are no damage", async () => {
    const object = freshObject("once");
    const bytes = randomBytes(10_000);
    await blobs.put(object, chunked(bytes));
    const failed = failOnce(({ method }) => method === "GET", {
      kind: "change",
      change: (body) => body.fill(0, 5, 50),
    });
    await assert.rejects(bytesOf((await blobs.open(object))?.body ?? chunked(bytes)), { code: "blob-damaged" });
    assert.equal(failed(), 1);
    assert.deepEqual(damage, []);
    assert.deepEqual(await bytesOf((await blobs.open(object))?.body ?? chunked(Buffer.of())), bytes);
  });

  it("of which a stale list tells are deleted twice, and nobody is told of a deletion that did not happen", async () => {
    const object = freshObject("stale");
    await blobs.put(object, chunked(Buffer.from("x")));
    const later = Date.now() + 60_000;
    assert.deepEqual(
      [await blobs.delete(object, "vol0", later), await blobs.delete(object, "vol0", later)],
      [true, true],
    );
    proxy.fault = ({ method }) => (method === "DELETE" ? { kind: "refuse", status: 403, code: "AccessDenied" } : null);
    await blobs.put(object, chunked(Buffer.from("x")));
    await assert.rejects(blobs.delete(object, "vol0", later), { code: "s3-access" });
    assert.ok((await blobs.stat(object)) !== null);
  });

  it("are not listed at all where the list cannot be had to its end", async () => {
    for (let i = 0; i < 5; i++) await blobs.put(freshObject(`list${i}`), chunked(Buffer.from("x")));
    let pages = 0;
    proxy.fault = ({ path }) =>
      path.includes("list-type") && path.includes("blob%2F") && pages++ > 0
        ? { kind: "refuse", status: 403, code: "AccessDenied" }
        : null;
    const first = await blobs.list(undefined, 2);
    assert.equal(first.isLast, false);
    await assert.rejects(blobs.list(first.blobs.at(-1), 2), { code: "s3-access" });
  });

  it("are listed by the parts that garbage collection asks for, and nothing else in the bucket is", async () => {
    const objects = Array.from({ length: 40 }, (_, i) => freshObject(`part${i}`));
    await Promise.all(objects.map((object) => blobs.put(object, chunked(Buffer.from(object)))));
    for (const key of ["blob/zz/other", "blob/aa/not-ours", "other/x"]) {
      await putObject(direct, { bucket: place.bucket, key: place.prefix + key }, Buffer.from("theirs"));
    }
    const seen: string[] = [];
    for (const [from, to] of [
      [0, 63],
      [64, 64],
      [65, 200],
      [201, 255],
    ] as const) {
      let last: { volume: string; object: string } | undefined;
      for (let isLast = false; !isLast; ) {
        const page = await blobs.list(last, 3, { from, to });
        seen.push(...page.blobs.map(({ object }) => object));
        for (const { object } of page.blobs) {
          const hash = Number.parseInt(layout.blob(object).key.split("/").at(-2) ?? "", 16);
          assert.ok(hash >= from && hash <= to);
        }
        last = page.blobs.at(-1);
        isLast = page.isLast;
      }
    }
    assert.deepEqual(seen.sort(), [...objects].sort());
  });

  it("that never came to their end are swept after a day, and no younger ones", async () => {
    const [old, kept] = [freshObject("old"), freshObject("kept")];
    const upload = await beginUpload(direct, layout.blob(old), {});
    await uploadPart(direct, upload, 1, Buffer.alloc(5 * mebibyte));
    await putObject(direct, layout.sum(old), Buffer.from(`${"0".repeat(64)} 1\n`));
    await blobs.put(kept, chunked(randomBytes(9 * mebibyte), mebibyte));
    assert.equal(await sweep(direct, layout, Date.now()), 0);
    assert.equal(await sweep(direct, layout, Date.now() + abandonedMs + 60_000), 2);
    assert.equal(await uploads(), 0);
    assert.deepEqual(
      await keys(),
      [layout.blob(kept), layout.sum(kept)].map(({ key }) => key.slice(place.prefix.length)),
    );
  });
});
