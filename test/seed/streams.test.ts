/** The seed's four stream options, its readers and writers, `init` functions, and the deprecated options. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, it } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  type ByteSink,
  bytesReader,
  csvReader,
  gzipReader,
  jsonlReader,
  lineReader,
  mapLineReader,
  netstrReader,
  netstrWriter,
  nopMap,
  nopReduce,
  type OutputStream,
  objectReader,
  objectWriter,
  parseDir,
  reReader,
  resultIterator,
  zstdReader,
} from "disco-mapreduce";
import { openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const words = (line: string): [string, number][] => line.split(" ").map((word) => [word, 1]);

/** An output stream that writes `key=value` lines. */
function equations(stream: ByteSink): OutputStream {
  return { add: (key, value) => stream.write(`${key}=${value}\n`) };
}

/** The input stream that reads them. */
function* equationReader(stream: Iterable<Uint8Array>, _size: number, _url: string): Generator<[string, string]> {
  for (const line of mapLineReader(stream, 0, "")) yield line.split("=") as [string, string];
}

async function textOf(results: readonly string[]): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of resultIterator(results, { reader: bytesReader })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe("map_input_stream", { timeout: 60_000 }, () => {
  it("chains its functions; each gets the stream before it, size, address and params; the last gives the entries", async () => {
    const file = await bench.file("chained.txt", "a\nb\n");
    const job = await disco.newJob("chained", {
      input: [file],
      params: { mark: "!" },
      mapInputStream: [
        mapLineReader,
        function* (stream: Iterable<string>, size: number, url: string, params: { mark: string }) {
          for (const line of stream) yield [line + params.mark, `${size} ${url}`] as const;
        },
        function* (stream: Iterable<readonly [string, string]>, _size: number, _url: string) {
          for (const pair of stream) yield pair;
        },
      ],
      map: nopMap,
    });
    assert.deepEqual(await sorted(resultIterator(job)), [`a! 4 ${file}`, `b! 4 ${file}`]);
  });

  it("lets a function say what the next one is told, and ends with mapReader", async () => {
    const job = await disco.newJob("told", {
      input: ["raw://text"],
      mapInputStream: [(stream) => [stream, 42, "told://by-the-first"]],
      mapReader: function* (_stream, size, url) {
        yield [url, size] as [string, number];
      },
      map: nopMap,
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["told://by-the-first", 42]]);
  });

  it("may be async", async () => {
    const job = await disco.newJob("in_time", {
      input: ["raw://a b"],
      mapReader: async function* (stream: Iterable<Uint8Array>) {
        for (const chunk of stream) {
          await new Promise((resolve) => setImmediate(resolve));
          yield* Buffer.from(chunk).toString().split(" ");
        }
      },
      map: (word) => [[word, 1]],
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a 1", "b 1"]);
  });

  it("that is not a stream fails the task, naming the function", async () => {
    const job = await disco.newJob("no_stream", {
      input: ["raw://a"],
      mapReader: (() => 3) as unknown as typeof mapLineReader,
      map: words,
    });
    assert.match((await rejection(job.wait())).message, /mapReader.* 3.*iterable/s);
  });
});

describe("readers", { timeout: 60_000 }, () => {
  const entries = async (contents: string | Uint8Array, reader: unknown): Promise<unknown[]> => {
    const input = [await bench.file(`reader-${Math.random()}`, contents)];
    const job = await disco.newJob("read", {
      input,
      ...(Array.isArray(reader) ? { mapInputStream: reader } : { mapReader: reader }),
      map: (entry: unknown) => [[0, entry]],
    } as { input: string[]; map: (entry: string) => [number, unknown][] });
    return (await resultIterator(job).toArray()).map(([, entry]) => entry);
  };

  it("by default give lines of text, whatever their ends, the last with or without one", async () => {
    assert.deepEqual(await entries("a\nb\r\n\nc", undefined), ["a", "b", "", "c"]);
    assert.deepEqual(await entries("", undefined), []);
  });

  it("of lines take another encoding", async () => {
    assert.deepEqual(await entries(Buffer.from("é\n", "latin1"), lineReader({ encoding: "latin1" })), ["é"]);
  });

  it("by regular expression give the groups of each match", async () => {
    assert.deepEqual(await entries("a=1;bb=22;", reReader(/(\w+)=(\d+);/)), [
      ["a", "1"],
      ["bb", "22"],
    ]);
  });

  it("of compressed data give its bytes to the next in the chain", async () => {
    assert.deepEqual(await entries(gzipSync("x\ny\n"), [gzipReader, mapLineReader]), ["x", "y"]);
    assert.deepEqual(await entries(zstdCompressSync("x\ny\n"), [zstdReader, mapLineReader]), ["x", "y"]);
  });

  it("of JSON lines, CSV and netstrings give their values", async () => {
    assert.deepEqual(await entries('{"a":[1]}\nnull\n', jsonlReader), [{ a: [1] }, null]);
    assert.deepEqual(await entries('a,"b,""c"\n', csvReader()), [["a", 'b,"c']]);
    assert.deepEqual(await entries("a,b\n1,2\n", csvReader({ header: true })), [{ a: "1", b: "2" }]);
    assert.deepEqual(await entries("1 a 2 bb\n", netstrReader), [["a", "bb"]]);
  });

  it("name the file and the place where it is not what they read", async () => {
    for (const [reader, contents, what] of [
      [jsonlReader, '{"a":1}\n{', /line 2/],
      [netstrReader, "9 a", /byte/],
      [gzipReader, "no gzip", /gzip/],
    ] as const) {
      const file = await bench.file("broken", contents);
      const job = await disco.newJob("broken", {
        input: [file],
        mapReader: reader as typeof bytesReader,
        map: (entry) => [[entry, 1]],
        retries: 0,
      });
      const { message } = await rejection(job.wait());
      assert.match(message, what);
      assert.ok(message.includes(file), message);
    }
  });
});

describe("output streams", { timeout: 60_000 }, () => {
  it("of the map and input streams of the reduce agree on a format of their own", async () => {
    const job = await disco.newJob("own_format", {
      input: ["raw://b a", "raw://c"],
      map: words,
      mapOutputStream: [equations],
      reduceInputStream: [equationReader],
      reduce: (pairs, _params) => [...pairs].map(([k, v]) => [k, typeof v] as const),
      partitions: 2,
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a string", "b string", "c string"]);
  });

  it("are chained: the last one's add gets the pairs, and each is closed", async () => {
    const job = await disco.newJob("chained", {
      input: ["raw://a b"],
      map: words,
      reduce: nopReduce,
      params: { mark: "#" },
      reduceOutputStream: [
        (stream, partition, url, params): OutputStream => ({
          write: (text) => stream.write(String(text).toUpperCase()),
          add: () => {},
          close: () => stream.write(`${params.mark}${partition} ${url.startsWith("disco://")}\n`),
        }),
        (stream): OutputStream => {
          let n = 0;
          return {
            add(key) {
              n++;
              stream.write(`${key}\n`);
            },
            close: () => stream.write(`n=${n}\n`),
          };
        },
      ],
    });
    assert.equal(await textOf(await job.wait()), "A\nB\nN=2\n#0 true\n");
  });

  it("write plain files, which other programs can read", async () => {
    const job = await disco.newJob("plain", { input: ["raw://a"], map: words, mapOutputStream: [equations] });
    const [file] = await parseDir((await job.wait())[0] as string);
    const path = bench.path(file as string);
    assert.equal(await readFile(path, "utf8"), "a=1\n");
    assert.equal(await textOf(await job.wait()), "a=1\n");
  });
});

describe("map_init and reduce_init", { timeout: 60_000 }, () => {
  it("are called once before the task, with its input and params, and may be async", async () => {
    const file = await bench.file("inits.txt", "a\nb\n");
    const job = await disco.newJob("inits", {
      input: [file, "raw://c"],
      params: { maps: 0, reduces: 0 },
      mapInit(_input, params) {
        params.maps++;
      },
      map: (line, params) => [[line, params.maps]],
      async reduceInit(_input, params) {
        await new Promise((resolve) => setImmediate(resolve));
        params.reduces++;
      },
      reduce: (pairs, params) => [...pairs].map(([k, v]) => [k, `${v}${params.maps}${params.reduces}`] as const),
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a 101", "b 101", "c 101"]);
  });

  it("can look at the input, as the seed's init(input_iter, params)", async () => {
    const file = await bench.file("header.txt", "name\na\nb\n");
    const job = await disco.newJob("header", {
      input: [file],
      params: { header: "" },
      mapInit(input, params) {
        for (const line of input) {
          params.header = line;
          break;
        }
      },
      map: (line, params) => [[line, params.header]],
    });
    assert.deepEqual(await sorted(resultIterator(job)), ["a name", "b name"]);
  });
});

describe("deprecated options", { timeout: 60_000 }, () => {
  it("work, and warn once each", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", listen);
    try {
      for (const _ of [1, 2]) {
        const job = await disco.newJob("old", {
          input: ["raw://b a"],
          map: words,
          mapWriter: netstrWriter,
          reduceReader: netstrReader,
          reduce: (pairs, _params) => [...pairs].map(([k, v]) => [k, [v]] as const),
          reduceWriter: objectWriter,
          nrReduces: 2,
        });
        const records = await resultIterator(await job.wait(), { reader: objectReader }).toArray();
        assert.deepEqual(records.map((record) => JSON.stringify(record)).sort(), ['["a",["1"]]', '["b",["1"]]']);
        assert.equal((await job.jobdict()).partitions, 2);
      }
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("warning", listen);
    }
    const deprecated = warnings.filter((text) => /deprecated/.test(text));
    assert.deepEqual(deprecated.map((text) => /mapWriter|reduceWriter|nrReduces/.exec(text)?.[0] ?? text).sort(), [
      "mapWriter",
      "nrReduces",
      "reduceWriter",
    ]);
  });
});
