/**
 * Objects of a real S3 server as inputs of jobs: named, matched by patterns, in parts, compressed; with a server that throttles, cuts and
 * stalls (fault 69), and objects that change while a job reads them.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { Disco, resultIterator } from "../../src/index.ts";
import { FaultProxy } from "../../src/s3/fault-proxy.test-kit.ts";
import { putObject } from "../../src/s3/objects.ts";
import { Radosgw, whyNoRadosgw } from "../../src/s3/radosgw.test-kit.ts";

const options = { skip: whyNoRadosgw() ?? false, timeout: 120_000 };
const bucket = "inputs";

describe("objects of S3 as inputs", options, () => {
  let server: Radosgw;
  let proxy: FaultProxy;
  let disco: Disco;
  const text = Array.from({ length: 60_000 }, (_, i) => `line ${i} of a text that is to be read in parts\n`).join("");

  before(async () => {
    server = await Radosgw.start();
    proxy = await FaultProxy.start(server.endpoint);
    Object.assign(process.env, server.environment(proxy.endpoint));
    await server.makeBucket(bucket);
    disco = new Disco();
    const objects: Readonly<Record<string, string | Buffer>> = {
      "logs/a.txt": "one\ntwo\n",
      "logs/b.txt": "three\n",
      "logs/deep/c.txt": "four\n",
      "logs/empty.txt": "",
      "logs/folder/": "",
      "odd names/a b+c%d#é$'()!*~.txt": "odd\n",
      "big.txt": text,
      "packed/a.gz": gzipSync("packed\nlines\n"),
    };
    for (const [key, body] of Object.entries(objects)) await put(key, body);
  });

  after(async () => {
    await disco?.close();
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  async function put(key: string, body: string | Buffer): Promise<void> {
    await putObject(server.connect(), { bucket, key }, Buffer.from(body));
  }

  async function lines(input: unknown, more: object = {}): Promise<string[]> {
    const job = await disco.newJob("s3", { input, map: (line: string) => [[line, ""]], ...more } as never);
    const read: string[] = [];
    for await (const [line] of resultIterator<string>(await job.wait())) read.push(line);
    return read.sort();
  }

  it("are read by name, by pattern, and whatever their names are", async () => {
    const at = (key: string): string => `s3://${bucket}/${key}`;
    assert.deepEqual(await lines(at("logs/a.txt")), ["one", "two"]);
    assert.deepEqual(await lines([at("logs/*")]), ["one", "three", "two"]);
    assert.deepEqual(await lines([at("logs/**")]), ["four", "one", "three", "two"]);
    assert.deepEqual(await lines([at("{odd,even} names/*"), at("logs/b.txt")]), ["odd", "three"]);
    assert.deepEqual(await lines([at("odd names/a b+c%d#é$'()!*~.txt")]), ["odd"]);
    assert.deepEqual(await lines([at("packed/*")]), ["lines", "packed"]);
    assert.deepEqual(await lines([[at("logs/b.txt"), "raw://three\n"]]), ["three"]);
    assert.deepEqual(await lines([at("logs/empty.txt")]), []);
  });

  it("that say that they are compressed are read as what they were", async () => {
    const packed = gzipSync(text);
    for (const encoding of ["gzip", "aws-chunked,gzip"]) {
      const headers = { "content-encoding": encoding };
      const sent = { method: "PUT", bucket, key: "encoded/text", body: packed, headers } as const;
      (await server.connect().send(sent)).drop();
      const expected = text.trimEnd().split("\n").sort();
      assert.deepEqual(await lines([`s3://${bucket}/encoded/text`], { splitBytes: 2 ** 20 }), expected);
      assert.deepEqual(await lines([`s3://${bucket}/encoded/*`]), expected);
    }
    const headers = { "content-encoding": "rot13" };
    (await server.connect().send({ method: "PUT", bucket, key: "encoded/odd", body: packed, headers })).drop();
    await assert.rejects(lines([`s3://${bucket}/encoded/odd`]), /content-encoding rot13 is unknown/);
  });

  it("are read in parts, each line once, wherever the cuts fall", async () => {
    const expected = text.trimEnd().split("\n").sort();
    for (const splitBytes of [2 ** 20, 1_100_003]) {
      const before = proxy.seen.length;
      assert.deepEqual(await lines([`s3://${bucket}/big.txt`], { splitBytes }), expected);
      const parts = proxy.seen.slice(before).filter(({ headers }) => headers.range !== undefined);
      assert.ok(parts.length >= Math.ceil(text.length / splitBytes), `${parts.length} requests for parts`);
      assert.ok(parts.every(({ headers }) => headers["if-match"] !== undefined));
    }
  });

  it("survive throttling, errors of the server and cut connections", async () => {
    const asked = new Map<string, number>();
    let cuts = 0;
    proxy.fault = ({ method, path, headers }) => {
      const which = `${method} ${path} ${headers.range ?? ""}`;
      const times = (asked.get(which) ?? 0) + 1;
      asked.set(which, times);
      if (times === 1) return { kind: "refuse", status: 503, code: "SlowDown" };
      if (times === 2) return { kind: "refuse", status: 500, code: "InternalError" };
      if (method === "GET" && path.includes("big") && cuts++ < 5) return { kind: "cut", afterBytes: 65_536 };
      return null;
    };
    try {
      const expected = text.trimEnd().split("\n").sort();
      assert.deepEqual(await lines([`s3://${bucket}/big.txt`]), expected);
      assert.deepEqual(await lines([`s3://${bucket}/logs/*`]), ["one", "three", "two"]);
      assert.ok(cuts >= 5 && [...asked.values()].every((times) => times >= 3));
    } finally {
      proxy.fault = () => null;
    }
  });

  it("that are overwritten while they are read fail their job, and are never mixed", async () => {
    for (const afterBytes of [0, 100_000]) {
      await put("changing.txt", text);
      let isCut = false;
      proxy.fault = ({ method, path }) => {
        if (method !== "GET" || isCut || !path.includes("changing")) return null;
        isCut = true;
        // All of it is there before the reader comes back for the rest.
        return { kind: "cut", afterBytes, meanwhile: () => put("changing.txt", text.replaceAll("line", "LINE")) };
      };
      try {
        await assert.rejects(lines([`s3://${bucket}/changing.txt`]), /changed (?:while it was read|since the job)/);
        assert.ok(isCut);
      } finally {
        proxy.fault = () => null;
      }
    }
  });

  it("that a stale list still shows are named by the task that misses them", async () => {
    proxy.fault = ({ path }) =>
      path.includes("list-type")
        ? { kind: "change", change: (body) => Buffer.from(body.toString().replace("a.txt", "gone.txt")) }
        : null;
    try {
      await assert.rejects(lines([`s3://${bucket}/logs/*`]), /gone\.txt: there is no such object/);
    } finally {
      proxy.fault = () => null;
    }
  });

  it("that cannot be read say why, and what to do", async () => {
    const refused = async (input: unknown, code: string, message: RegExp): Promise<void> => {
      await assert.rejects(lines(input), (error: Error & { code: string }) => {
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        assert.ok(!error.message.includes(server.account.secretAccessKey));
        return true;
      });
    };
    await refused([`s3://${bucket}/no-such`], "no-such-file", /no such object: s3:\/\/inputs\/no-such/);
    await refused([`s3://${bucket}/no/*`], "no-such-file", /no object matches/);
    await refused(["s3://no-such-bucket/key"], "no-such-bucket", /no such bucket/);
    await refused([`s3://${bucket}/logs/`], "bad-input", /is no object/);
    await refused(["s3://bad..bucket/key"], "bad-url", /no bucket/);
    await refused([`s3://${bucket}/a/../b`], "bad-url", /cannot be addressed/);
    process.env["AWS_SECRET_ACCESS_KEY"] = "wrong";
    try {
      await refused([`s3://${bucket}/logs/a.txt`], "s3-access", /signature/);
    } finally {
      process.env["AWS_SECRET_ACCESS_KEY"] = server.account.secretAccessKey;
    }
  });
});
