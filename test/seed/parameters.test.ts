/** The seed's `params`, `required_files`, `required_modules`, OOB values and `Task`; what comes with later releases. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { nopReduce, Params, resultIterator, task } from "disco-mapreduce";
import { openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const pairs = (line: string): [string, number][] => [[line, 1]];
const input = ["raw://a"];
/** Any shared library of this system. */
const { sharedObjects } = process.report.getReport() as { sharedObjects: readonly string[] };
const library = sharedObjects.find((path) => /\/libm\.so/.test(path));

describe("params", { timeout: 60_000, concurrency: 2 }, () => {
  it("are the seed's example: a counter and a function, a copy for each task", async () => {
    const file = await bench.file("twelve.txt", "e\n".repeat(12));
    const job = await disco.newJob("counting", {
      input: [file, file],
      map(e, params) {
        params.c += 1;
        if (params.c % 10 === 0) return [[params.f(e), params.c]];
        return [[e, params.c]];
      },
      params: new Params({ c: 0, f: (x: string) => `${x}!` }),
    });
    const records = (await resultIterator(job).toArray()).map(String);
    assert.deepEqual(records, [...records.slice(0, 12), ...records.slice(0, 12)]);
    assert.deepEqual(records.slice(8, 12), ["e,9", "e!,10", "e,11", "e,12"]);
  });

  it("may hold what structured clone knows, exactly, and functions anywhere", async () => {
    const params = {
      date: new Date(0),
      big: 2n ** 70n,
      minusZero: -0,
      nan: Number.NaN,
      map: new Map([["k", new Set([1])]]),
      bytes: new Uint8Array([1, 2]),
      nothing: undefined,
      list: [{ twice: (n: number) => n * 2 }],
    };
    const job = await disco.newJob("values", {
      input,
      params,
      map: (line, p) => [
        [
          line,
          [
            p.date.getTime(),
            p.big,
            Object.is(p.minusZero, -0),
            p.nan,
            [...(p.map.get("k") ?? [])],
            p.bytes,
            "nothing" in p,
            p.list[0]?.twice(4),
          ],
        ],
      ],
    });
    assert.deepEqual(await resultIterator(job).toArray(), [
      ["a", [0, 2n ** 70n, true, Number.NaN, [1], new Uint8Array([1, 2]), true, 8]],
    ]);
  });

  it("that are changed after newJob, or by a task, are the caller's own", async () => {
    const params = { n: 1 };
    const job = await disco.newJob("copied", {
      input,
      params,
      map(line, p) {
        p.n += 10;
        return [[line, p.n]];
      },
    });
    params.n = 100;
    assert.deepEqual(await resultIterator(job).toArray(), [["a", 11]]);
    assert.equal(params.n, 100);
  });

  it("that cannot be sent are named by their path", async () => {
    const cyclic: { list: unknown[] } = { list: [] };
    cyclic.list.push({ back: cyclic });
    const error = await rejection(disco.newJob("cyclic", { input, params: { cyclic }, map: pairs }));
    assert.match(error.message, /params\.cyclic\.list\[0\]\.back/);
    const local = 3;
    const captured = await rejection(disco.newJob("captured", { input, params: { f: () => local }, map: pairs }));
    assert.equal(captured["code"], "captured-variable");
    assert.match(captured.message, /local/);
  });
});

describe("requiredFiles", { timeout: 60_000, concurrency: 2 }, () => {
  it("lie flat in the working directory of tasks, from paths or contents", async () => {
    const path = await bench.file("deep/folder/table.txt", "from a path");
    for (const [requiredFiles, name, contents, names] of [
      [[path], "table.txt", "from a path", "table.txt"],
      [{ "note.txt": "from text", "bytes.bin": new Uint8Array([65]) }, "note.txt", "from text", "bytes.bin,note.txt"],
    ] as const) {
      const job = await disco.newJob("files", {
        input,
        requiredFiles,
        params: { name },
        map: (_line, params) => [[readFileSync(params.name, "utf8"), readdirSync(".").sort().join()]],
      });
      assert.deepEqual(await resultIterator(job).toArray(), [[contents, names]]);
    }
  });

  it("can be shared libraries, which the loader finds by their bare name", {
    skip: library === undefined,
  }, async () => {
    const job = await disco.newJob("library", {
      input,
      requiredFiles: { "private_copy.so": readFileSync(library as string) },
      map(line) {
        try {
          process.dlopen({ exports: {} }, "private_copy.so");
        } catch (error) {
          return [[line, (error as Error).message]];
        }
        return [[line, "loaded"]];
      },
    });
    const [[, message] = []] = await resultIterator(job).toArray();
    // It is found, and is no module of Node's.
    assert.match(message as string, /did not self-register/);
  });

  it("with names that lead elsewhere, twice the same name, or missing, are refused", async () => {
    for (const name of ["a/b", "../up", "..", "", "/etc/passwd", "a\\b", "nul\0"]) {
      await assert.rejects(disco.newJob("names", { input, map: pairs, requiredFiles: { [name]: "x" } }), {
        code: "bad-option",
        message: /file names without folders/,
      });
    }
    const one = await bench.file("one/same.txt", "1");
    const two = await bench.file("two/same.txt", "2");
    await assert.rejects(disco.newJob("twice", { input, map: pairs, requiredFiles: [one, two] }), {
      message: /two files are called same\.txt/,
    });
    await assert.rejects(disco.newJob("none", { input, map: pairs, requiredFiles: [`${one}.none`] }), {
      code: "no-such-file",
    });
    await assert.rejects(disco.newJob("folder", { input, map: pairs, requiredFiles: [bench.root] }), {
      name: "JobError",
    });
  });
});

describe("requiredModules", { timeout: 60_000 }, () => {
  it("are imported before the job's functions", async () => {
    const path = await bench.file("effect.mjs", "globalThis.effect = 'imported';\n");
    const job = await disco.newJob("modules", {
      input,
      requiredModules: [path, "node:zlib", "commander"],
      map: (line) => [[line, (globalThis as { effect?: string }).effect]],
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["a", "imported"]]);
  });

  it("that are not there are refused by name", async () => {
    for (const name of ["no-such-package-at-all", "./none.mjs"]) {
      const error = await rejection(disco.newJob("none", { input, map: pairs, requiredModules: [name] }));
      assert.equal(error["code"], "no-such-module");
      assert.ok(error.message.includes(name));
    }
  });
});

describe("out-of-band values", { timeout: 60_000, concurrency: 2 }, () => {
  it("are put by tasks, seen by later stages and other jobs, and asked for by key", async () => {
    const first = await disco.newJob("puts", {
      input: ["raw://a", "raw://b"],
      map(line) {
        task.put(`line:${line}`, line.toUpperCase());
        task.put("bytes@1", new Uint8Array([0, 255]));
        return [[line, 1]];
      },
      reduce: (all, _params) => [...all].map(([k]) => [k, Buffer.from(task.get(`line:${k}`)).toString()] as const),
    });
    assert.deepEqual(await sorted(resultIterator(first)), ["a A", "b B"]);
    assert.deepEqual(await first.oobList(), ["bytes@1", "line:a", "line:b"]);
    assert.deepEqual(await disco.oobList(first.name), await first.oobList());
    assert.deepEqual([...(await first.oobGet("bytes@1"))], [0, 255]);
    await assert.rejects(first.oobGet("none"), { name: "DiscoError", code: "unknown-key" });
    const second = await disco.newJob("gets", {
      input,
      params: { other: first.name },
      map: (_line, { other }) => [["of the other", Buffer.from(task.get("line:b", other)).toString()]],
    });
    assert.deepEqual(await resultIterator(second).toArray(), [["of the other", "B"]]);
    await first.clean();
    await assert.rejects(first.oobGet("line:a"), { code: "unknown-job" });
  });

  it("are limited: keys, their length, and 1000 a task", async () => {
    for (const [key, n, what] of [
      ["bad key", 1, /bad key/],
      ["k".repeat(257), 1, /key/],
      ["", 1, /key/],
      ["k", 1001, /1000|1,000/],
    ] as const) {
      const job = await disco.newJob("limits", {
        input,
        params: { key, n },
        map(line, { key, n }) {
          for (let i = 0; i < n; i++) task.put(key, "");
          return [[line, 1]];
        },
        retries: 0,
      });
      assert.match((await rejection(job.wait())).message, what);
    }
    const most = await disco.newJob("most", {
      input,
      map(line) {
        for (let i = 0; i < 1000; i++) task.put(`k${i}`, "v");
        task.get("k999");
        return [[line, 1]];
      },
    });
    await most.wait();
    assert.equal((await most.oobList()).length, 1000);
  });
});

describe("task", { timeout: 60_000 }, () => {
  it("tells where the function runs, and is refused outside of a task", async () => {
    const job = await disco.newJob("where", {
      input: ["raw://a", "raw://b"],
      map: (line) => [[line, [task.jobName, task.host, task.stage, task.id, task.attempt, task.inputs, task.master]]],
      partitions: 2,
      partition: (key, n) => key.charCodeAt(0) % n,
      reduce: (all, _params) => [...all].map(([k, v]) => [k, [...v, task.partition]] as const),
    });
    const records = new Map(await resultIterator(job).toArray());
    const master = bench.address ?? "disco://localhost";
    assert.deepEqual(records.get("a"), [job.name, "localhost", "map", 0, 0, ["raw://a"], master, 1]);
    assert.deepEqual(records.get("b"), [job.name, "localhost", "map", 1, 0, ["raw://b"], master, 0]);
    assert.throws(() => task.jobName, { name: "DiscoError" });
  });
});

describe("prefix", { timeout: 60_000 }, () => {
  it("is set by newJob, whatever the dict says, and checked all the same", async () => {
    const job = await disco.newJob("given", { input, map: pairs, prefix: "other" });
    assert.match(job.name, /^given@/);
    assert.equal((await job.jobdict()).prefix, "given");
    await job.wait();
    await assert.rejects(disco.newJob("given", { input, map: pairs, prefix: "a b" }), { code: "bad-name" });
  });
});

describe("an option that is false", { timeout: 60_000 }, () => {
  it("is not asked for by false", async () => {
    const job = await disco.newJob("no", { input, map: pairs, save: false, profile: false, reduce: nopReduce });
    await job.wait();
  });
});
