/**
 * Results of a daemon, read by a process that has nothing of them on its own disk: its root is another one.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { chainReader, Disco, kvgroup, mapLineReader, parseDir, resultIterator, task } from "../../src/index.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";

const token = "the-token-of-this-daemon";
const words = Array.from({ length: 2_000 }, (_, i) => `word${i}`);
const input = ["first", "second"].map((line) => `raw://${line} ${words.join(" ")}`);

function* split(line: string): Generator<[string, number]> {
  for (const word of line.split(" ")) yield [word, 1];
}

function* sum(pairs: Iterable<[string, number]>): Generator<[string, number]> {
  for (const [word, ones] of kvgroup(pairs)) {
    let n = 0;
    for (const one of ones) n += one;
    yield [word, n];
  }
}

const expected = new Map<string, number>([...words.map((word) => [word, 2] as const), ["first", 1], ["second", 1]]);

describe("results of a daemon", { timeout: 180_000 }, () => {
  let elsewhere: string;
  let daemon: TestDaemon;
  let disco: Disco;
  let results: string[];
  const before_ = { ...process.env };

  before(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), "disco-elsewhere-"));
    process.env["DISCO_ROOT"] = elsewhere;
    process.env["DISCO_TOKEN"] = "";
    daemon = await startDaemon({ env: { DISCO_TOKEN: token } });
    // As for a client on another machine: by this file it would know that the daemon's root is on its own.
    await rm(join(daemon.root, "daemon.json"));
    disco = new Disco(daemon.address, { token });
    const job = await disco.newJob("count", { input, map: split, reduce: sum, sort: true, partitions: 3 });
    results = await job.wait();
  });

  after(async () => {
    await disco.close();
    await daemon[Symbol.asyncDispose]();
    await rm(elsewhere, { recursive: true, force: true });
    Object.assign(process.env, before_);
  });

  afterEach(() => {
    delete process.env["DISCO_PROXY"];
  });

  /** The file of the daemon's that an address names. */
  const fileOf = (url: string): string => join(daemon.root, "data", url.replace(/^[a-z]+:\/\/[^/]+\/disco\//, ""));

  async function damaged(file: string, check: () => Promise<void>): Promise<void> {
    const handle = await open(file, "r+");
    try {
      const byte = Buffer.alloc(1);
      const { size } = await handle.stat();
      const at = Math.floor(size / 2);
      await handle.read(byte, 0, 1, at);
      await handle.write(Buffer.of((byte[0] as number) ^ 4), 0, 1, at);
      await check();
      await handle.write(byte, 0, 1, at);
    } finally {
      await handle.close();
    }
  }

  test("are files for a client on the daemon's own machine", async (t) => {
    await using own = await startDaemon();
    const client = new Disco(own.address);
    t.after(() => client.close());
    const job = await client.newJob("own", { input, map: split, reduce: sum, sort: true });
    const records = resultIterator(await job.wait());
    await own.kill();
    assert.deepEqual(new Map([...records]), expected);
  });

  test("lie at the port where the daemon was reached, and are read from there with its token", async () => {
    for (const url of results) assert.ok(url.startsWith(`dir://${new URL(daemon.url).host}/disco/localhost/`), url);
    assert.deepEqual(new Map(await resultIterator<string, number>(results).toArray()), expected);
    assert.deepEqual(await readdir(elsewhere), []);
  });

  test("are for those with the token only, by any part of them", async () => {
    const [file] = await parseDir(results[0] as string);
    const path = new URL(String(file).replace("disco:", "http:"));
    const whole = readFileSync(fileOf(String(file)));
    const ask = (
      headers: Record<string, string>,
    ): Promise<{ status: number; body: Buffer; range: string | undefined }> =>
      new Promise((resolve, reject) => {
        http
          .get(path, { headers, agent: false }, (reply) => {
            const chunks: Buffer[] = [];
            reply.on("data", (chunk: Buffer) => chunks.push(chunk));
            reply.on("end", () =>
              resolve({
                status: reply.statusCode ?? 0,
                body: Buffer.concat(chunks),
                range: reply.headers["content-range"],
              }),
            );
          })
          .on("error", reject);
      });
    assert.equal((await ask({})).status, 401);
    assert.equal((await ask({ authorization: "Bearer wrong" })).status, 401);
    // As Disco's Python client asks: user "token", and the first ten megabytes.
    const authorization = `Basic ${Buffer.from(`token:${token}`).toString("base64")}`;
    const python = await ask({ authorization, range: "bytes=0-10485759" });
    assert.equal(python.status, 206);
    assert.equal(python.range, `bytes 0-${whole.length - 1}/${whole.length}`);
    assert.ok(python.body.equals(whole));
    const part = await ask({ authorization, range: "bytes=100-199" });
    assert.ok(part.body.equals(whole.subarray(100, 200)));
  });

  test("are read through the master where the node cannot be reached", async () => {
    const far = results.map((url) => url.replace(/^dir:\/\/[^/]+/, "dir://node.invalid:1"));
    await assert.rejects(resultIterator(far).toArray(), { name: "DataError" });
    process.env["DISCO_PROXY"] = daemon.url;
    assert.deepEqual(new Map(await resultIterator<string, number>(far).toArray()), expected);
  });

  test("are inputs of a job of that daemon, and of an engine on another root", async () => {
    const swap = ([word, n]: [string, number]): [string, number][] => [[word, n * 10]];
    const tenfold = new Map([...expected].map(([word, n]) => [word, n * 10]));
    await using there = await disco.newJob("there", { input: results, mapReader: chainReader, map: swap });
    assert.deepEqual(new Map(await resultIterator<string, number>(await there.wait()).toArray()), tenfold);
    // Of the protected daemon, through its proxy: the engine's workers show the token, too.
    process.env["DISCO_PROXY"] = daemon.url;
    process.env["DISCO_TOKEN"] = token;
    await using proxied = new Disco(undefined, { root: elsewhere, workers: 1 });
    const far = results.map((url) => url.replace(/^dir:\/\/[^/]+/, "dir://node.invalid:1"));
    await using through = await proxied.newJob("through", { input: far, mapReader: chainReader, map: swap });
    assert.deepEqual(new Map(await resultIterator<string, number>(await through.wait()).toArray()), tenfold);
    delete process.env["DISCO_PROXY"];
    process.env["DISCO_TOKEN"] = "";
    // Of a daemon without tokens, at its own port.
    await using open_ = await startDaemon();
    await using other = new Disco(open_.address);
    const count = await other.newJob("open", { input, map: split, reduce: sum, sort: true });
    const addresses = await count.wait();
    await using here = new Disco(undefined, { root: elsewhere, workers: 1 });
    await using job = await here.newJob("here", { input: addresses, mapReader: chainReader, map: swap });
    assert.deepEqual(new Map(await resultIterator<string, number>(await job.wait()).toArray()), tenfold);
  });

  test("that are damaged are errors and never data, blocks and indexes alike", async () => {
    const [index = ""] = results;
    const [file = ""] = await parseDir(index);
    await damaged(fileOf(file), () =>
      assert.rejects(resultIterator([index]).toArray(), { name: "DataError", code: "bad-block" }),
    );
    await damaged(fileOf(index), () =>
      assert.rejects(resultIterator([index]).toArray(), { name: "DataError", code: "bad-index" }),
    );
    assert.ok((await resultIterator([index]).toArray()).length > 0);
  });

  test("in a format of the user's own are checked by the digest of the task that wrote them", async () => {
    const job = await disco.newJob("lines", {
      input,
      map: split,
      mapWriter: (fd, word, n) => fd.write(`${word} ${n}\n`),
    });
    const [index = ""] = await job.wait();
    const [file = ""] = await parseDir(index);
    const read = (): Promise<string[]> => resultIterator<string>([index], { reader: mapLineReader }).toArray();
    assert.equal((await read())[1], "word0 1");
    await damaged(fileOf(file), () => assert.rejects(read(), { name: "DataError", code: "bad-digest" }));
  });

  test("of a job that is purged while they are read end with an error that says so", async () => {
    const job = await disco.newJob("purged", { input, map: split, reduce: sum, partitions: 3 });
    const addresses = await job.wait();
    const records = resultIterator<string, number>(addresses)[Symbol.asyncIterator]();
    assert.equal((await records.next()).done, false);
    await disco.purge(job);
    const rest = async (): Promise<void> => {
      for (;;) if ((await records.next()).done === true) return;
    };
    await assert.rejects(rest(), { name: "DataError", hint: /purged/ });
  });

  test("out of band come from there as well", async () => {
    const job = await disco.newJob("oob", {
      input: ["raw://a"],
      map: (line: string): [string, number][] => {
        task.put("answer", "42");
        return [[line, 1]];
      },
    });
    await job.wait();
    assert.deepEqual(await disco.oobList(job), ["answer"]);
    assert.equal(String(await disco.oobGet(job, "answer")), "42");
  });
});
