/**
 * DDFS whose blobs lie in a real S3 server (`DDFS_STORE`): of the engine in this process, of a daemon, of a cluster of processes. Addresses
 * are those of the store, jobs read them there, garbage is collected once, and nobody touches what is another cluster's.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { Disco, resultIterator, task } from "disco-mapreduce";
import type { DDFS } from "../../src/client/ddfs/ddfs.ts";
import { openDaemon } from "../../src/master/daemon.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { listAll } from "../../src/s3/listing.ts";
import { headObject, putObject } from "../../src/s3/objects.ts";
import { Radosgw, whyNoRadosgw } from "../../src/s3/radosgw.test-kit.ts";
import { ProcessStand } from "./stand.test-kit.ts";

const bucket = "ddfs";
const pollMs = 50;
const text = "to be or not to be\nthat is the question\n";
const counts = { be: 2, is: 1, not: 1, or: 1, question: 1, that: 1, the: 1, to: 2 };

describe("DDFS in S3", { skip: whyNoRadosgw() ?? false, timeout: 280_000 }, () => {
  let server: Radosgw;
  let folder = "";
  let prefix = "";
  let stores = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-s3-"));
    server = await Radosgw.start();
    await server.makeBucket(bucket);
  });

  beforeEach(() => {
    prefix = `store-${stores++}/`;
  });

  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const environment = (): Record<string, string> => ({
    ...server.environment(),
    DDFS_STORE: `s3://${bucket}/${prefix}`,
    DISCO_CONFIG: "none",
  });

  async function blobs(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of listAll(server.connect(), { bucket, prefix: `${prefix}blob/` })) found.push(key);
    return found;
  }

  /** Words of `tag`, counted. */
  async function counted(disco: Disco, tag: string): Promise<Record<string, number>> {
    const job = await disco.newJob("words", {
      input: `tag://${tag}`,
      map: (line: string) => line.split(" ").map((word): [string, number] => [word, 1]),
      reduce: function* (pairs: Iterable<[string, number]>) {
        const sums = new Map<string, number>();
        for (const [word, n] of pairs) sums.set(word, (sums.get(word) ?? 0) + n);
        yield* sums;
      },
    });
    const result: Record<string, number> = {};
    for await (const [word, n] of resultIterator<string, number>(await job.wait())) result[word] = n;
    return result;
  }

  async function textOf(ddfs: DDFS, tag: string): Promise<string> {
    let pulled = "";
    for await (const blob of ddfs.pull(tag)) pulled += await blob.text();
    return pulled;
  }

  async function collected(ddfs: DDFS): Promise<void> {
    const api = await ddfs.api();
    const before = (await api.gcStats())?.at ?? 0;
    await api.gcStart();
    while (((await api.gcStats())?.at ?? 0) === before) await passed(pollMs);
  }

  /** What all of them do alike. */
  async function keeps(disco: Disco): Promise<void> {
    const { ddfs } = disco;
    await ddfs.push("data:play", { name: "play", data: Buffer.from(text) });
    await ddfs.push("data:old", { name: "old", data: Buffer.from("old") });
    const [[address = ""] = []] = await ddfs.urls("data:play");
    assert.match(address, new RegExp(`^s3://${bucket}/${prefix}blob/[0-9a-f]{2}/play\\$`));
    assert.equal((await blobs()).length >= 2, true);
    assert.equal(await textOf(ddfs, "data:play"), text);
    assert.deepEqual(await counted(disco, "data:play"), counts);
    // Results that are kept, and values beside them.
    const saved = await disco.newJob("saved", {
      input: "tag://data:play",
      map: (line: string): [string, number][] => {
        task.put(`bytes:${line.length}`, line);
        return [[line, 1]];
      },
      save: true,
    });
    const results = await saved.wait();
    assert.match(String(results[0]), /^tag:\/\/.*disco:results:saved@/);
    assert.equal(Buffer.from(await saved.oobGet("bytes:20")).toString(), "that is the question");
    const lines: string[] = [];
    for await (const [line] of resultIterator<string>(results)) lines.push(line);
    assert.deepEqual(lines.sort(), text.trimEnd().split("\n").sort());
    const findings: string[] = [];
    for await (const { kind, object } of (await ddfs.api()).fsck()) findings.push(`${kind} ${object}`);
    assert.deepEqual(findings, []);
  }

  /** What no tag names goes, and nothing else does. */
  async function collects(ddfs: DDFS): Promise<void> {
    const named = async (name: string): Promise<boolean> => (await blobs()).some((key) => key.includes(`/${name}$`));
    await ddfs.delete("data:old");
    for (let runs = 0; runs < 20 && (await named("old")); runs++) {
      await passed(500);
      await collected(ddfs);
    }
    assert.deepEqual([await named("old"), await named("play")], [false, true]);
    assert.equal(await textOf(ddfs, "data:play"), text);
  }

  it("serves scripts without a master, and jobs of theirs", async () => {
    const saved = { ...process.env };
    Object.assign(process.env, environment(), { DISCO_ROOT: join(folder, "embedded") });
    const disco = new Disco();
    try {
      await keeps(disco);
      // One bit is another one: neither jobs nor readers take it for what was stored.
      const [key = ""] = (await blobs()).filter((one) => one.includes("/play$"));
      const rotten = Buffer.from(text);
      rotten[3] = (rotten[3] ?? 0) ^ 1;
      const head = await headObject(server.connect(), { bucket, key });
      const meta = { sha256: head?.meta("sha256") ?? "" };
      await putObject(server.connect(), { bucket, key }, rotten, { meta });
      await assert.rejects(counted(disco, "data:play"), /is damaged: its bytes are not those that were stored/);
      await assert.rejects(textOf(disco.ddfs, "data:play"), { code: "blob-damaged" });
      assert.equal((await blobs()).includes(key), false);
    } finally {
      await disco.close();
      process.env = saved;
    }
  });

  it("serves a daemon: found again after a restart, collected by its rules, and closed to another cluster", async () => {
    const saved = { ...process.env };
    Object.assign(process.env, server.environment());
    const settings = (root: string) => ({
      root: join(folder, root),
      host: "127.0.0.1",
      port: 0,
      node: "localhost",
      workers: 2,
      labels: {},
      scheduler: { policy: "fair" as const, alpha: 0.001 },
      gcAfterSeconds: null,
      tokens: {},
      allowedHosts: [],
      trustedNetworks: [],
      packBytesMax: 2 ** 30,
      diskReserveBytes: 0,
      ddfs: {
        blobReplicas: null,
        tagReplicas: 3,
        store: `s3://${bucket}/${prefix}`,
        times: { graceMs: 500, intervalMs: null, lostAfterMs: 1e9, scrubIntervalMs: null },
      },
      logLevel: "silent" as const,
    });
    try {
      const first = await openDaemon(settings("daemon"));
      const disco = new Disco(first.url);
      try {
        await keeps(disco);
      } finally {
        await disco.close();
        await first.close();
      }
      const second = await openDaemon(settings("daemon"));
      const again = new Disco(second.url);
      try {
        await collects(again.ddfs);
      } finally {
        await again.close();
        await second.close();
      }
      const other = await openDaemon(settings("other"));
      const theirs = new Disco(other.url);
      const before = await blobs();
      try {
        await assert.rejects(theirs.ddfs.push("data:mine", { name: "mine", data: Buffer.from("x") }), {
          code: "other-cluster",
        });
        assert.deepEqual(await blobs(), before);
      } finally {
        await theirs.close();
        await other.close();
      }
    } finally {
      process.env = saved;
    }
  });

  it("serves a cluster: through any node, also when those are gone that took the blobs", {
    skip: skipWithoutNats(),
  }, async () => {
    const env = { ...environment(), DDFS_GC_GRACE: "1s", DDFS_GC_INTERVAL: "never" };
    await using stand = await ProcessStand.open({ servers: 1, nodes: ["n1", "n2"], env });
    const disco = stand.client();
    try {
      await keeps(disco);
      for (const name of ["n1", "n2"]) {
        await stand.nodes.get(name)?.kill();
        assert.equal(await textOf(disco.ddfs, "data:play"), text);
        await stand.restore();
      }
      await collects(disco.ddfs);
      assert.deepEqual(await counted(disco, "data:play"), counts);
    } finally {
      await disco.close();
    }
  });
});
