import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import type { JobSpec } from "../core/job/spec.ts";
import { decodeJobPack, encodeJobPack, jobPackBytesMax } from "../protocol/jobpack.ts";
import { acceptPack, acceptPackFile } from "./accept-pack.ts";
import { packOf } from "./fixtures/packs.ts";

const directory = await mkdtemp(join(tmpdir(), "disco-accept-pack-"));
after(() => rm(directory, { recursive: true, force: true }));

let files = 0;

async function accept(pack: Uint8Array): Promise<JobSpec> {
  const file = join(directory, `pack-${files++}`);
  await writeFile(file, pack);
  try {
    return (await acceptPackFile(file)).spec;
  } finally {
    await rm(file);
  }
}

const own = Buffer.from(packOf(["map", "reduce"], { tasks: 2 }));
const python = { prefix: "count", owner: "me", worker: "lib/worker.py", scheduler: {} };
const empty = { jobenvs: {}, files: {}, jobdata: Buffer.alloc(64) };

function version1(change: Record<string, unknown>): Uint8Array {
  const jobdict = { ...python, input: ["raw://data"], nr_reduces: "2", "map?": true, ...change };
  return encodeJobPack({ ...empty, version: 1, jobdict });
}

function header(offsets: readonly number[], magic = 0xd5c00001, rest = 4): Buffer {
  const bytes = Buffer.alloc(128 + rest, "0");
  bytes.fill(0, 0, 128);
  [magic, ...offsets].forEach((word, i) => bytes.writeUInt32BE(word, 4 * i));
  return bytes;
}

describe("a job pack that is a file", () => {
  it("says the same as the pack in memory", async () => {
    const spec = acceptPack(own);
    assert.equal(spec.inputs.length, 2);
    assert.deepEqual(await accept(own), spec);
    const { bytes } = await (async () => {
      const file = join(directory, "sized");
      await writeFile(file, own);
      return await acceptPackFile(file);
    })();
    assert.equal(bytes, own.length);
  });

  it("is not read when it is large: a gigabyte is taken in no time and in no memory", async () => {
    const large = join(directory, "large");
    await writeFile(large, own);
    await truncate(large, jobPackBytesMax);
    const before = process.memoryUsage();
    const { bytes, spec } = await acceptPackFile(large);
    const after = process.memoryUsage();
    assert.equal(bytes, jobPackBytesMax);
    assert.deepEqual(spec, acceptPack(own));
    assert.ok(after.external + after.arrayBuffers - before.external - before.arrayBuffers < 4 * 1024 * 1024);
    await truncate(large, jobPackBytesMax + 1);
    await assert.rejects(acceptPackFile(large), { code: "bad-jobpack", message: /the limit is 1073741824/ });
  });

  it("is one of ours by its worker, with Disco's keys alone, in both versions", async () => {
    const worker = "disco-mapreduce";
    const reduce = { "reduce?": true, input: [["disco://a/disco/n/00/j/x", "http://b/x"], "dir://n/disco/n/y"] };
    const one = await accept(version1({ worker, ...reduce, scheduler: { max_cores: 4 } }));
    assert.deepEqual(one.pipeline, [
      { name: "map", grouping: "split" },
      { name: "reduce", grouping: "group_label" },
    ]);
    assert.deepEqual(
      one.inputs.map(({ hosts }) => hosts),
      [["n", null], ["n"]],
    );
    assert.equal(one.scheduler.maxCores, 4);
    const jobdict = { ...python, worker, pipeline: [["only", "group_all", false]], inputs: [[3, 9, ["raw://x"]]] };
    const two = await accept(encodeJobPack({ ...empty, jobdict }));
    assert.deepEqual(two.pipeline, [{ name: "only", grouping: "group_all" }]);
    assert.deepEqual(two.inputs, [{ label: 3, size: 9, replicas: ["raw://x"], hosts: [null] }]);
  });

  it("is refused when Disco's keys and ours tell two stories", async () => {
    const { jobdict } = decodeJobPack(own);
    for (const change of [{ prefix: "other" }, { owner: "other" }, { inputs: [] }, { pipeline: [] }]) {
      const pack = encodeJobPack({ ...empty, jobdict: { ...jobdict, ...change } });
      await assert.rejects(accept(pack), { code: "bad-jobpack", message: /two values/ });
    }
  });
});

describe("a job that brings its worker along", () => {
  const files = { "lib/worker.py": Buffer.from("#!/usr/bin/env python3\n") };
  const one = (change: Record<string, unknown>): Uint8Array =>
    encodeJobPack({
      ...empty,
      files,
      version: 1,
      jobdict: { ...python, input: ["raw://data"], nr_reduces: 1, "map?": true, ...change },
    });
  const two = (change: Record<string, unknown>): Uint8Array =>
    encodeJobPack({
      ...empty,
      files,
      jobdict: { ...python, pipeline: [["map", "split", false]], inputs: [], ...change },
    });

  it("has all stages that Disco gives a job of version 1, and what an operator allows", async () => {
    const spec = await accept(one({ "reduce?": true, save_results: true }));
    assert.deepEqual(spec, {
      prefix: "count",
      owner: "me",
      inputs: [{ label: 0, size: 0, replicas: ["raw://data"], hosts: ["data"] }],
      pipeline: [
        { name: "map", grouping: "split" },
        { name: "map_shuffle", grouping: "group_node" },
        { name: "reduce", grouping: "group_all" },
      ],
      scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false },
      retries: 100,
      taskTimeoutMs: null,
      memoryLimitBytes: 1024 ** 4,
      labels: {},
      keep: true,
      worker: { path: "lib/worker.py", packVersion: 1 },
      save: { results: true, oob: false },
    });
    assert.deepEqual(acceptPack(one({ "reduce?": true, save_results: true })), spec);
    const stages = async (change: Record<string, unknown>): Promise<string> =>
      (await accept(one(change))).pipeline.map(({ name, grouping }) => `${name} ${grouping}`).join(", ");
    assert.equal(await stages({}), "map split, map_shuffle group_node");
    assert.equal(await stages({ "map?": false, "reduce?": true }), "reduce group_all");
    assert.equal(await stages({ "map?": false, "reduce?": true, nr_reduces: 2 }), "reduce group_label");
    assert.equal(
      await stages({ "reduce?": true, "reduce_shuffle?": true, nr_reduces: "2" }),
      "map split, map_shuffle group_node, reduce group_label, reduce_shuffle group_node",
    );
  });

  it("has the stages that a pack of version 2 names, concurrent ones among them", async () => {
    const pipeline = [
      ["a", "split", false],
      ["b", "group_node_label", true],
    ];
    const { worker, ...spec } = await accept(
      two({ pipeline, inputs: [[3, 9, ["disco://n/disco/m/j/x", "http://w/y"]]] }),
    );
    assert.deepEqual(worker, { path: "lib/worker.py", packVersion: 2 });
    assert.deepEqual(spec.pipeline, [
      { name: "a", grouping: "split" },
      { name: "b", grouping: "group_node_label", concurrent: true },
    ]);
    assert.deepEqual(spec.inputs[0], {
      label: 3,
      size: 9,
      replicas: ["disco://n/disco/m/j/x", "http://w/y"],
      hosts: ["m", "w"],
    });
  });

  it("names its worker without the detours that Python's library leaves in the path", async () => {
    const { worker } = await accept(one({ worker: "lib/bin/../worker.py" }));
    assert.equal(worker?.path, "lib/worker.py");
  });

  it("may call its stages what files can be called", async () => {
    const { pipeline } = await accept(two({ pipeline: [["step.1-a_b", "split", false]] }));
    assert.equal(pipeline[0]?.name, "step.1-a_b");
  });

  it("takes only nodes for places where its tasks must run where their inputs are", async () => {
    const input = ["raw://data", "dir://n/disco/n/x", "a b"];
    const hosts = async (scheduler: object): Promise<unknown> =>
      (await accept(one({ input, scheduler }))).inputs.map((each) => each.hosts[0]);
    assert.deepEqual(await hosts({}), ["data", "n", null]);
    assert.deepEqual(await hosts({ force_local: true }), [null, "n", null]);
  });

  for (const [what, pack, message] of [
    [
      "no worker",
      encodeJobPack({ ...empty, jobdict: { prefix: "x", owner: "", pipeline: [], inputs: [] } }),
      /missing key: "worker"/,
    ],
    ["a worker that is not among its files", one({ worker: "bin/other" }), /"bin\/other" is not among its 1 files/],
    ["a worker that is a folder", one({ worker: "lib" }), /"lib" is not among/],
    ["a worker outside of its files", one({ worker: "../../bin/sh" }), /invalid worker/],
    ["an absolute worker", one({ worker: "/bin/sh" }), /invalid worker/],
    [
      "no files",
      encodeJobPack({ ...empty, jobdict: { ...python, pipeline: [["m", "split", false]], inputs: [] } }),
      /not among/,
    ],
    ["an unknown grouping", two({ pipeline: [["a", "group_by", false]] }), /invalid grouping "group_by"/],
    [
      "two stages of one name",
      two({
        pipeline: [
          ["a", "split", false],
          ["a", "split", false],
        ],
      }),
      /"a" is repeated/,
    ],
    ["a prefix that cannot be part of a name", one({ prefix: "a-b" }), /invalid prefix: "a-b": 1 to 100 characters/],
    [
      "a stage that cannot be part of a file's name",
      two({ pipeline: [["a b", "split", false]] }),
      /pipeline\[0\]\.name/,
    ],
    ["a stage that leads upwards", two({ pipeline: [["..", "split", false]] }), /pipeline\[0\]\.name/],
    ["no stages", two({ pipeline: [] }), /at least one stage/],
    ["neither map nor reduce", one({ "map?": false }), /at least one stage/],
    ["a count of reduces that is none", one({ nr_reduces: "x" }), /nr_reduces/],
    [
      "results for a file system that is not there",
      one({ save_results: true, save_info: "hdfs,n,u,/d" }),
      /not in HDFS/,
    ],
  ] as const) {
    it(`is refused by name: ${what}`, async () => {
      await assert.rejects(accept(pack), { code: "bad-jobpack", message });
      assert.throws(() => acceptPack(pack), { code: "bad-jobpack", message });
    });
  }

  it("is refused when a file of its would take the place of one of Disco's", async () => {
    const jobdict = { ...python, pipeline: [["m", "split", false]], inputs: [] };
    for (const name of ["jobfile", ".jobhome", ".disco/x", "JobFile"]) {
      const pack = encodeJobPack({ ...empty, jobdict, files: { ...files, [name]: Buffer.from("x") } });
      await assert.rejects(accept(pack), { code: "bad-jobpack", message: /take the place of a file of Disco's/ });
    }
  });

  it("is taken or refused by name, whatever its job dict says", () => {
    const dict = fc.record(
      {
        prefix: fc.oneof(fc.constant("count"), fc.jsonValue()),
        worker: fc.oneof(fc.constant("lib/worker.py"), fc.jsonValue()),
        scheduler: fc.oneof(fc.constant({}), fc.jsonValue()),
        input: fc.oneof(fc.constant(["raw://a"]), fc.jsonValue()),
        nr_reduces: fc.oneof(fc.nat(3), fc.jsonValue()),
        pipeline: fc.oneof(fc.constant([["a", "split", true]]), fc.jsonValue()),
        inputs: fc.oneof(fc.constant([[0, 0, ["raw://a"]]]), fc.jsonValue()),
        "map?": fc.oneof(fc.boolean(), fc.jsonValue()),
        "reduce?": fc.oneof(fc.boolean(), fc.jsonValue()),
        save_results: fc.oneof(fc.boolean(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    let taken = 0;
    fc.assert(
      fc.property(dict, fc.constantFrom(1 as const, 2 as const), fc.boolean(), (change, version, isSound) => {
        const sound = {
          input: ["raw://a"],
          nr_reduces: 1,
          "map?": true,
          pipeline: [["m", "split", false]],
          inputs: [],
        };
        const jobdict = { ...python, ...(isSound ? sound : {}), ...change };
        try {
          const spec = acceptPack(encodeJobPack({ ...empty, files, version, jobdict }));
          assert.deepEqual(spec.worker, { path: "lib/worker.py", packVersion: version });
          taken++;
        } catch (error) {
          assert.equal((error as { code?: string }).code, "bad-jobpack", String(error));
        }
      }),
      {
        examples: [
          [{}, 1, true],
          [{}, 2, true],
        ],
      },
    );
    assert.ok(taken >= 2);
  });

  it("is refused when its files are no archive", async () => {
    const pack = Buffer.from(one({}));
    const homeAt = pack.readUInt32BE(12);
    pack.fill("0", homeAt, pack.readUInt32BE(16));
    await assert.rejects(accept(pack), { code: "bad-jobpack", message: /invalid jobhome/ });
    assert.throws(() => acceptPack(pack), { code: "bad-jobpack", message: /invalid jobhome/ });
  });
});

describe("what Disco's own tests send (test_jobpack)", () => {
  const refused = (message: RegExp): { code: string; message: RegExp } => ({ code: "bad-jobpack", message });

  it("bad headers", async () => {
    const h = 128;
    for (const pack of [
      header([h, h + 1, h + 2, h + 3], 0),
      header([h + 1, h + 2, h + 2, h + 2], undefined, 3),
      header([h, h, h + 1, h + 1], undefined, 2),
      header([h, h + 1, h, h + 1], undefined, 2),
      header([h, h + 1, h + 1, h], undefined, 2),
    ]) {
      await assert.rejects(accept(pack), refused(/invalid header/));
    }
    await assert.rejects(accept(header([h, h + 1, h + 1, h + 1], undefined, 2)), refused(/invalid jobdict/));
    const whole = Buffer.from(version1({}));
    await assert.rejects(accept(whole.subarray(0, whole.length - 65)), refused(/invalid header/));
    await assert.rejects(accept(Buffer.alloc(0)), refused(/invalid header/));
  });

  it("dicts without keys, and prefixes that are none", async () => {
    await assert.rejects(accept(encodeJobPack({ ...empty, version: 1, jobdict: {} })), refused(/missing key/));
    for (const prefix of ["a/b", "a.b"]) await assert.rejects(accept(version1({ prefix })), refused(/invalid prefix/));
  });
});

describe("a damaged job pack", () => {
  it("is refused or is the same job, whatever happened to it, and nothing crashes", async () => {
    const spec = JSON.stringify(acceptPack(own));
    const dictEnd = own.readUInt32BE(8);
    const change = fc.record({
      at: fc.oneof(fc.nat(127), fc.nat(own.length - 1)),
      value: fc.nat(255),
      length: fc.oneof(fc.constant(own.length), fc.constant(own.length), fc.nat(own.length)),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, value, length }) => {
        const copy = Buffer.from(own);
        copy.writeUInt8(value, at);
        let accepted: JobSpec;
        try {
          accepted = await accept(copy.subarray(0, length));
        } catch (error) {
          assert.ok((error as { code: string }).code === "bad-jobpack", String(error));
          return;
        }
        // A letter in a name may become another letter; what is accepted still is a whole specification.
        if (at >= 128 && at < dictEnd) assert.deepEqual(Object.keys(accepted), Object.keys(JSON.parse(spec) as object));
        else assert.equal(JSON.stringify(accepted), spec);
      }),
      { numRuns: 500 },
    );
  });
});
