/** The seed's `input`: each kind of address, lists, replicas; what is refused; chains of jobs. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import {
  chainReader,
  type InputAddress,
  type JobInput,
  kvgroup,
  nopMap,
  nopReduce,
  type Results,
  resultIterator,
} from "disco-mapreduce";
import { openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const lines = (line: string): [string, number][] => [[line, 1]];
async function read(input: JobInput): Promise<string[]> {
  return (await sorted(resultIterator(await disco.newJob("read", { input, map: lines })))).map((text) =>
    text.slice(0, -2),
  );
}

describe("an input", { timeout: 60_000 }, () => {
  let server: Server;
  let base: string;
  const asked: string[] = [];

  before(async () => {
    server = createServer(({ url }, response) => {
      asked.push(url as string);
      if (url === "/good") response.end("from\nhttp\n");
      else if (url === "/moved") response.writeHead(302, { location: "/good" }).end();
      else if (url === "/short") {
        response.writeHead(200, { "content-length": "100" }).write("a\n");
        response.socket?.end();
      } else response.writeHead(404).end("not here");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => void server.close());

  it("is a local file by path, file:// address or URL object", async () => {
    const path = await bench.file("with space.txt", "one\ntwo\n");
    for (const input of [[path], path, pathToFileURL(path).href, [pathToFileURL(path)]]) {
      assert.deepEqual(await read(input), ["one", "two"]);
    }
  });

  it("is a path relative to the working directory", async () => {
    const path = await bench.file("relative.txt", "here\n");
    const cwd = process.cwd();
    process.chdir(bench.root);
    try {
      assert.deepEqual(await read(["relative.txt"]), ["here"]);
      assert.deepEqual(await read("./relative.txt"), ["here"]);
    } finally {
      process.chdir(cwd);
    }
    assert.ok(path.startsWith(bench.root));
  });

  it("is a glob of local files, in the order of their paths", async () => {
    for (const name of ["b", "a", "sub/c"]) await bench.file(`glob/${name}.log`, `${name}\n`);
    assert.deepEqual(await read([`${bench.root}/glob/*.log`]), ["a", "b"]);
    assert.deepEqual(await read([`${bench.root}/glob/**/*.log`]), ["a", "b", "sub/c"]);
    const job = await disco.newJob("globbed", { input: `${bench.root}/glob/**/*.log`, map: lines });
    assert.deepEqual(
      (await job.jobinfo()).inputs,
      ["a", "b", "sub/c"].map((name) => `${bench.root}/glob/${name}.log`),
    );
    await job.wait();
  });

  it("is raw:// text, which is the data itself", async () => {
    assert.deepEqual(await read(["raw://some_string", "raw://a b/?#%20\nü"]), ["a b/?#%20", "some_string", "ü"]);
    assert.deepEqual(await read(["raw://"]), []);
  });

  it("is any http address, redirected or not", async () => {
    assert.deepEqual(await read([`${base}/good`]), ["from", "http"]);
    assert.deepEqual(await read([`${base}/moved`]), ["from", "http"]);
  });

  it("is a disco:// address, a file in a node's data directory", async () => {
    await bench.file("engine/data/bigtxt/file_name", "big\n");
    assert.deepEqual(await read(["disco://localhost/bigtxt/file_name"]), ["big"]);
  });

  it("that a server does not have, or cuts off, ends the job with an error that names it", async () => {
    for (const [path, what] of [
      ["/none", /404/],
      ["/short", /100/],
    ] as const) {
      const job = await disco.newJob("unreadable", { input: [`${base}${path}`], map: lines, retries: 1 });
      const error = await rejection(job.wait());
      assert.equal(error.name, "JobError");
      assert.match(error.message, what);
      assert.ok(error.message.includes(`${base}${path}`), error.message);
    }
  });

  it("can be a list of replicas, of which one good one is enough", async () => {
    const good = await bench.file("good.txt", "good\n");
    const replicas: InputAddress[] = [
      [`${base}/none`, good],
      [`${base}/short`, `${base}/good`],
      [good, `${base}/none`],
    ];
    const job = await disco.newJob("replicas", { input: replicas, map: lines });
    assert.deepEqual(await sorted(resultIterator(job)), ["from 1", "good 1", "good 1", "http 1"]);
    const bad = await disco.newJob("no_replica", {
      input: [[`${base}/none`, `${base}/nothing`]],
      map: lines,
      retries: 1,
    });
    await assert.rejects(bad.wait(), { name: "JobError", message: /404/ });
  });

  it("that is a list of replicas needs a map", async () => {
    const good = await bench.file("good.txt", "good\n");
    await assert.rejects(disco.newJob("x", { input: [[good, good]], reduce: nopReduce }), {
      name: "JobError",
      message: /replicas, which needs a map/,
    });
  });

  it("with a scheme of a later release is refused, saying so; a missing tag and an unknown scheme as well", async () => {
    await assert.rejects(disco.newJob("x", { input: ["tag://data:logs"], map: lines }), {
      code: "unknown-tag",
      message: /^input\[0\]: there is no tag data:logs/,
    });
    await assert.rejects(disco.newJob("x", { input: ["gopher://x"], map: lines }), {
      code: "bad-input",
      message: /gopher/,
    });
  });

  it("that is nothing, or no address, is refused by its place in the list", async () => {
    for (const [input, what] of [
      [[], /empty list/],
      [["raw://a", ""], /input\[1\]/],
      [["raw://a", 3], /input\[1\].* not 3/],
      [["raw://a", null], /input\[1\]/],
      [[[]], /input\[0\] is an empty list of replicas/],
      [undefined, /input is missing/],
      [{}, /input/],
    ] as const) {
      await assert.rejects(disco.newJob("x", { input: input as unknown as string, map: lines }), {
        code: "bad-input",
        message: what,
      });
    }
  });
});

describe("results of a job as inputs", { timeout: 60_000 }, () => {
  it("chain ten jobs through chainReader", async () => {
    const first = await disco.newJob("chain0", {
      input: [1, 2, 3].map((n) => `raw://${n}`),
      map: (line): [string, number][] => [[line, 0]],
      partitions: 2,
    });
    let input: Results<string, number> = await first.wait();
    for (let i = 1; i < 10; i++) {
      const next = await disco.newJob(`chain${i}`, {
        input,
        mapReader: chainReader,
        map: ([k, v]): [string, number][] => [[k, v + 1]],
        partitions: 2,
        reduce: nopReduce,
        sort: true,
      });
      input = await next.wait();
    }
    assert.deepEqual(await sorted(resultIterator(input)), ["1 9", "2 9", "3 9"]);
  });

  it("can be a job that still runs: the new one waits for it", async () => {
    const first = await disco.newJob("first", {
      input: ["raw://a b"],
      map: (l) => l.split(" ").map((w) => [w, 2] as const),
    });
    const second = await disco.newJob("second", {
      input: [first, await first.wait(), "raw://c"],
      mapInputStream: [
        function* (stream: Iterable<Uint8Array>, size: number, url: string) {
          if (url.startsWith("raw:")) yield [Buffer.concat([...stream]).toString(), 1] as const;
          else yield* chainReader(stream, size, url);
        },
      ],
      map: nopMap,
    });
    assert.deepEqual(await sorted(resultIterator(second)), ["a 2", "a 2", "b 2", "b 2", "c 1"]);
  });

  it("keep their partitions in a job with only a reduce, unless mergePartitions", async () => {
    const parts = await disco.newJob("parts", {
      input: ["raw://0 1 2 3 4 5", "raw://0 2 4"],
      map: (line) => line.split(" ").map((n): [number, number] => [Number(n), 1]),
      partition: (key, n) => key % n,
      partitions: 2,
    });
    const results = await parts.wait();
    for (const [mergePartitions, expected] of [
      [false, ["0 6", "1 3"]],
      [true, ["0 9"]],
    ] as const) {
      const job = await disco.newJob("counts", {
        input: results,
        *reduce(pairs: Iterable<[number, number]>) {
          let n = 0;
          let parity = 2;
          for (const [key] of pairs) {
            n++;
            parity = Math.min(parity, key % 2);
          }
          yield [parity, n] as const;
        },
        mergePartitions,
      });
      assert.deepEqual(await sorted(resultIterator(job)), expected);
    }
  });

  it("of several jobs are read together by one reduce", async () => {
    const jobs = await Promise.all(
      ["a b", "b c"].map((text) =>
        disco.newJob("side", { input: [`raw://${text}`], map: (l) => l.split(" ").map((w) => [w, 1] as const) }),
      ),
    );
    const joined = await disco.newJob("joined", {
      input: jobs,
      sort: true,
      *reduce(pairs) {
        for (const [word, ones] of kvgroup(pairs)) yield [word, ones.toArray().length] as const;
      },
    });
    assert.deepEqual(await sorted(resultIterator(joined)), ["a 1", "b 2", "c 1"]);
  });

  it("that are purged are refused when a job is started over them", async () => {
    const job = await disco.newJob("gone", { input: ["raw://a"], map: lines });
    const results = await job.wait();
    await job.purge();
    const error = await rejection(disco.newJob("late", { input: results, mapReader: chainReader, map: nopMap }));
    assert.equal(error["code"], "no-such-file");
    assert.match(error.message, /gone@/);
  });
});
