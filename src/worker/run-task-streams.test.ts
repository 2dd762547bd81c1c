/** How a task treats what it reads: nothing is lost, read twice, kept in memory or left open. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { type AnyFn, fails, type JobBench, withJob } from "./fixtures/job-bench.ts";
import { kvgroup } from "./kvgroup.ts";
import { nopMap, nopReduce } from "./nop.ts";
import { gzipReader } from "./streams/compressed.ts";
import { mapLineReader } from "./streams/lines.ts";
import { netstrReader } from "./streams/netstr.ts";

type Pairs = Iterator<[unknown, unknown]> & Iterable<[unknown, unknown]>;

const MB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Files below the job's directory that this process has open, deleted ones too. */
function openFiles({ dataDir }: JobBench): string[] {
  const names = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return names.filter((name) => name.startsWith(dataDir) && !/\/seg-[^/]*\.seg$/.test(name));
}

const noProc = process.platform === "linux" ? false : "open files are listed by /proc";

/** Lines long enough for several chunks. */
function manyLines(bytes: number): string {
  let text = "";
  for (let i = 0; text.length < bytes; i++) text += `${i} ${"some words ".repeat(i % 40)}\n`;
  return text;
}

test("a map that fails in the middle leaves no input open", { skip: noProc }, async () => {
  const fn = (): never => {
    throw new Error("broken");
  };
  const chains = [[], [gzipReader, mapLineReader], [netstrReader]];
  for (const inputStream of chains) {
    await withJob({ stages: [{ kind: "map", fn, inputStream }] }, async (bench) => {
      const file = join(bench.dataDir, "input");
      const text = inputStream[0] === netstrReader ? "1 a 1 b\n".repeat(100_000) : manyLines(2 * MB);
      await writeFile(file, inputStream[0] === gzipReader ? gzipSync(text, { level: 0 }) : text);
      await assert.rejects(bench.run({ inputs: [file] }), /broken/);
      await assert.rejects(bench.run({ inputs: [file, file], attempt: 1 }), /broken/);
      assert.deepEqual(openFiles(bench), []);
    });
  }
});

test("a replica that is given up is closed", { skip: noProc }, async () => {
  await withJob({ stages: [{ kind: "map", fn: nopMap, inputStream: [netstrReader] }] }, async (bench) => {
    const bad = join(bench.dataDir, "bad");
    const good = join(bench.dataDir, "good");
    await writeFile(bad, `1 a 1 b\n??${" ".repeat(MB)}`);
    await writeFile(good, "1 a 1 b\n1 c 1 d\n");
    await bench.run({ inputs: [[bad, good]] });
    assert.equal(bench.results(0).length, 2);
    assert.deepEqual(openFiles(bench), []);
  });
});

test("a reduce that does not read to the end gives back the scratch files of its sort", { skip: noProc }, async () => {
  const stages = [
    { kind: "map" as const, fn: (line: string) => [[line, 1]] },
    { kind: "reduce" as const, fn: (pairs: Pairs) => [pairs.next().value], sort: true as const },
  ];
  await withJob({ stages, memoryLimitBytes: 100_000 }, async (bench) => {
    await bench.run({ inputs: [`raw://${manyLines(MB)}`] });
    await bench.run({ stage: 1, label: 0 });
    assert.equal(bench.results(1).length, 1);
    assert.deepEqual(openFiles(bench), []);
  });
  await withJob(
    { stages: stages.slice(1).map((stage) => ({ ...stage, inputStream: [netstrReader] })), memoryLimitBytes: 100_000 },
    async (bench) => {
      await bench.run({ inputs: [`raw://${"1 a 1 b\n".repeat(20_000)}`] });
      assert.deepEqual(openFiles(bench), []);
    },
  );
});

/** Sends lines without end, and says when nobody wants them any more. In a thread: a task that reads blocks this one. */
const endlessServer = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:http").createServer((request, reply) => {
    reply.on("close", () => {
      parentPort.postMessage("closed");
      server.close();
    });
    const more = () => {
      while (!reply.destroyed && reply.write("a line of text\\n".repeat(5000)));
    };
    reply.on("drain", more);
    more();
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

test("a map that fails ends the download of its input", { timeout: 20_000 }, async () => {
  const server = new Worker(endlessServer, { eval: true });
  const [port] = (await once(server, "message")) as [number];
  const fn = (): never => {
    throw new Error("broken");
  };
  try {
    await withJob({ stages: [{ kind: "map", fn }] }, async (bench) => {
      const closed = once(server, "message");
      await assert.rejects(bench.run({ inputs: [`http://127.0.0.1:${port}/`] }), /broken/);
      assert.deepEqual(await closed, ["closed"]);
    });
  } finally {
    await server.terminate();
  }
});

test("init may leave its loop early: the rest is for the map, and for the reduce", async () => {
  const first = (entries: Iterable<unknown>): void => {
    for (const _ of entries) break;
  };
  const two = (entries: IteratorObject<unknown>): void => {
    assert.equal(entries.take(2).toArray().length, 2);
  };
  await withJob(
    {
      stages: [
        { kind: "map", fn: (line: string) => [[line, 1]], init: first },
        { kind: "reduce", fn: nopReduce, init: two },
      ],
    },
    async (bench) => {
      await bench.run({ inputs: ["raw://head\n1\n2\n3\n4"] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(bench.results(1), [
        ["3", 1],
        ["4", 1],
      ]);
    },
  );
  await withJob(
    {
      stages: [
        {
          kind: "map",
          fn: (line: string) => [[line, 1]],
          inputStream: [
            async function* () {
              yield* ["head", "a", "b"];
            },
          ],
          init: async (lines: AsyncIterable<string>) => {
            for await (const _ of lines) break;
          },
        },
      ],
    },
    async (bench) => {
      await bench.run({ inputs: ["raw://"] });
      assert.deepEqual(bench.results(0), [
        ["a", 1],
        ["b", 1],
      ]);
    },
  );
});

test("lines are the same whether a file is read whole or in parts", async () => {
  // What would tell a whole file's encoding at its start is data where a part begins.
  const lines = ["first", "\ufeffmarked", "a\0b", "\u001f gzip?", "last"];
  const text = Buffer.from(`${lines.join("\n")}\n`);
  const cuts = [0, ...lines.keys()].map((n) =>
    Buffer.byteLength(
      lines
        .slice(0, n)
        .map((line) => `${line}\n`)
        .join(""),
    ),
  );
  await withJob({ stages: [{ kind: "map", fn: (line: string) => [[line, 1]] }] }, async (bench) => {
    const file = join(bench.dataDir, "input");
    // Past the first 8 KiB of the whole a NUL byte says nothing.
    const before = Buffer.from("x\n".repeat(8_192));
    await writeFile(file, Buffer.concat([before, text]));
    const parts = cuts.map((from, i) => [from, cuts[i + 1] ?? text.length].map((at) => at + before.length).join("-"));
    await bench.run({ inputs: parts.map((part) => `${file}#bytes=${part}`) });
    const found = bench.results(0).map(([key]) => key);
    await bench.run({ inputs: [file], attempt: 1 });
    const whole = bench.results(0).map(([key]) => key);
    assert.deepEqual(found, lines);
    assert.deepEqual(whole.slice(-lines.length), lines);
  });
});

test("a reader may yield one object again and again", async () => {
  const reader = function* (): Generator<{ n: number }> {
    const entry = { n: 0 };
    for (; entry.n < 5; entry.n++) yield entry;
  };
  const fn = ({ n }: { n: number }) => [[n, n]];
  for (const input of ["raw://", ["raw://", "raw://"]]) {
    await withJob({ stages: [{ kind: "map", fn, inputStream: [reader] }] }, async (bench) => {
      await bench.run({ inputs: [input, "raw://"] });
      assert.deepEqual(
        bench.results(0).map(([key]) => key),
        [0, 1, 2, 3, 4, 0, 1, 2, 3, 4],
      );
    });
  }
});

test("an async map of concurrency 1 is called when the call before has ended", async () => {
  let running = 0;
  let most = 0;
  const fn = async (line: string) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return [[line, 1]];
  };
  await withJob({ stages: [{ kind: "map", fn, concurrency: 1 }] }, async (bench) => {
    await bench.run({ inputs: ["raw://a\nb\nc\nd"] });
    assert.equal(most, 1);
  });
});

test("a replica that ends before what was read of another is not the end of the input", async () => {
  for (const inputStream of [[netstrReader], [netstrReader, (pairs: Iterable<unknown>) => pairs]]) {
    await withJob({ stages: [{ kind: "map", fn: nopMap, inputStream }] }, async (bench) => {
      const file = async (name: string, text: string): Promise<string> => {
        await writeFile(join(bench.dataDir, name), text);
        return join(bench.dataDir, name);
      };
      const pairs = "1 a 1 b\n".repeat(100_000);
      const cut = await file("cut", `${pairs}9`);
      const short = await file("short", "1 a 1 b\n");
      const whole = await file("whole", `${pairs}1 c 1 d\n`);
      await bench.run({ inputs: [[cut, short, whole]] });
      assert.equal(bench.results(0).length, 100_001);
      await assert.rejects(
        bench.run({ inputs: [[cut, short]], attempt: 1 }),
        fails("no-replica", /cut off[^]*short: it ends after 1 records, 100000 were read/),
      );
    });
  }
});

test("output is the same bytes whether input is compressed, or read of two replicas", async () => {
  const fn = (line: string) => (line.length % 5 === 0 ? [[line.slice(-20), 1]] : []);
  const combiner = (key: string, value: number, buffer: Map<string, number>): void => {
    buffer.set(key, (buffer.get(key) ?? 0) + value);
  };
  const digest = async (inputStream: readonly AnyFn[], files: Record<string, Buffer>): Promise<string> => {
    let found = "";
    // Small enough that text is let go of several times while it is read.
    const options = { stages: [{ kind: "map" as const, fn, combiner, inputStream }], memoryLimitBytes: 8 * MB };
    await withJob(options, async (bench) => {
      const replicas: string[] = [];
      for (const [name, bytes] of Object.entries(files)) {
        await writeFile(join(bench.dataDir, name), bytes);
        replicas.push(join(bench.dataDir, name));
      }
      found = (await bench.run({ inputs: [replicas] })).ref.digest;
    });
    return found;
  };
  const text = Buffer.from(manyLines(6 * MB));
  const packed = gzipSync(text);
  const plain = await digest([], { text });
  assert.equal(await digest([gzipReader, mapLineReader], { packed }), plain);
  const cut = packed.subarray(0, packed.length / 2);
  assert.equal(await digest([gzipReader, mapLineReader], { cut, packed }), plain, "half of the first replica was read");
});

for (const [kind, value] of [
  ["strings", (text: string) => text],
  ["objects", (text: string) => ({ text })],
] as const) {
  test(`waiting records of a reduce let go of the text that their ${kind} are slices of`, async () => {
    let heapBytes = 0;
    const reader = function* (bytes: Iterable<Uint8Array>): Generator<[string, unknown]> {
      collectGarbage();
      const before = process.memoryUsage().heapUsed;
      for (const chunk of bytes) yield ["k", value(Buffer.from(chunk).toString("latin1").slice(7, 47))];
      collectGarbage();
      heapBytes = process.memoryUsage().heapUsed - before;
    };
    await withJob(
      { stages: [{ kind: "reduce", fn: nopReduce, inputStream: [reader] }], memoryLimitBytes: 16 * MB },
      async (bench) => {
        const file = join(bench.dataDir, "input");
        await writeFile(file, Buffer.alloc(32 * MB, "x"));
        assert.equal((await bench.run({ inputs: [file] })).labels[0]?.records, 128);
        assert.ok(heapBytes < 8 * MB, `${heapBytes} bytes held for 128 records of 40`);
      },
    );
  });
}

test("a reduce over sorted inputs does not blame the one that was read last", async () => {
  const fn = (): never => {
    throw new Error("broken");
  };
  for (const [sort, url] of [
    [false, "raw://1 a 1 b\n"],
    [true, null],
  ] as const) {
    await withJob(
      { stages: [{ kind: "reduce", fn: (pairs: Pairs) => pairs.next() && fn(), inputStream: [netstrReader], sort }] },
      async (bench) => {
        await assert.rejects(bench.run({ inputs: ["raw://1 a 1 b\n", "raw://1 c 1 d\n"] }), /broken/);
        assert.equal(bench.job.currentUrl, url);
      },
    );
  }
});

test("a key that contains itself is named, also where keys are hashed", async () => {
  const cyclic: unknown[] = [1];
  cyclic.push(cyclic);
  for (const partitions of [null, 1, 4]) {
    await withJob({ stages: [{ kind: "map", fn: () => [[cyclic, 1]], partitions }] }, async (bench) => {
      await assert.rejects(
        bench.run({ inputs: ["raw://x"] }),
        fails("bad-value", /key\[1\]: a value that contains itself/),
      );
    });
  }
});

test("kvgroup over part of the records leaves nothing behind", { skip: noProc }, async () => {
  const fn = function* (pairs: Pairs) {
    for (const [key] of kvgroup(pairs)) {
      yield [key, 1];
      return;
    }
  };
  await withJob(
    {
      stages: [
        { kind: "map", fn: (line: string) => [[line, 1]] },
        { kind: "reduce", fn, sort: true },
      ],
      memoryLimitBytes: 100_000,
    },
    async (bench) => {
      await bench.run({ inputs: [`raw://${manyLines(MB)}`] });
      await bench.run({ stage: 1, label: 0 });
      assert.deepEqual(openFiles(bench), []);
    },
  );
});
