import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeJobPack } from "../protocol/jobpack.ts";
import { kvgroup } from "../worker/kvgroup.ts";
import { nopReduce } from "../worker/nop.ts";
import { reReader } from "../worker/streams/regexp.ts";
import { FakeDisco } from "./fake-master.test-kit.ts";
import { JobDict } from "./job-dict.ts";
import { Params } from "./params.ts";

const mark = "!";

function shout(text: string): string {
  return text.toUpperCase() + mark;
}

const options = {
  input: ["raw://a b a", ["raw://x", "raw://y"]],
  params: new Params({ shout, limit: 3n }),
  mapReader: reReader(/(\w+)\s*/),
  map: ([word = ""]: string[], params: { shout: (text: string) => string }) => [
    [params.shout(word), 1] as [string, number],
  ],
  *reduce(pairs: Iterable<[string, number]>) {
    for (const [word, counts] of kvgroup(pairs)) yield [word, counts.count()] as const;
  },
  partitions: 4,
  sort: true,
  retries: 5,
  taskTimeout: 2.5,
  memoryLimit: 300,
  requiredFiles: { "words.txt": "a\nb\n" },
  labels: { gpu: "1" },
  prefix: "counting",
} as const;

describe("JobDict", () => {
  it("is a dictionary of its options", () => {
    const dict = new JobDict(options);
    assert.equal(dict.partitions, 4);
    assert.deepEqual(Object.keys(dict), Object.keys(options));
    assert.deepEqual({ ...dict, partitions: 8 }.partitions, 8);
    assert.ok(dict instanceof JobDict);
    assert.throws(() => new JobDict({ input: ["x"], partitions: 3 } as never), { code: "bad-option" });
  });

  it("packs and unpacks to the same job, whose functions can be called", async () => {
    const pack = await new JobDict(options).pack();
    const dict = await JobDict.unpack(pack);
    assert.deepEqual(dict.input, options.input);
    for (const name of ["partitions", "sort", "retries", "taskTimeout", "memoryLimit", "labels", "prefix"] as const) {
      assert.deepEqual(dict[name], options[name], name);
    }
    assert.deepEqual(Object.keys(dict.requiredFiles ?? {}), ["words.txt"]);
    const params = dict.params as { shout: typeof shout; limit: bigint };
    assert.equal(params.limit, 3n);
    assert.equal(params.shout("ab"), "AB!");
    assert.deepEqual(dict.map?.(["ab"], params), [["AB!", 1]]);
    const reduced = dict.reduce?.(
      [
        ["a", 1],
        ["a", 1],
        ["b", 1],
      ] as never,
      {} as never,
      {},
    ) as Iterable<unknown>;
    assert.deepEqual(
      [...reduced],
      [
        ["a", 2],
        ["b", 1],
      ],
    );
    assert.deepEqual(
      [...(dict.mapReader as (...args: unknown[]) => Iterable<unknown>)([Buffer.from("ab cd ")], 6, "x", {})],
      [["ab"], ["cd"]],
    );
    assert.deepEqual(await dict.pack(), pack);
  });

  it("unpacked runs under another name", async () => {
    const disco = new FakeDisco();
    const dict = await JobDict.unpack(await new JobDict(options).pack());
    await disco.newJob("again", dict);
    const { jobdict, files } = decodeJobPack(disco.fake.packs[0] as Uint8Array);
    assert.equal(jobdict["prefix"], "again");
    assert.equal((jobdict["disco_ts"] as { prefix: string }).prefix, "again");
    assert.deepEqual([...files().keys()], ["words.txt"]);
    const found = await disco.jobdict("job@0:0:1");
    assert.equal(found.partitions, 4);
  });

  it("unpacks a pipeline as a pipeline", async () => {
    const dict = new JobDict({
      input: ["raw://x"],
      pipeline: [
        { map: (line: string) => [[line, 1]], partitions: 2 },
        { name: "end", grouping: "group_all", reduce: nopReduce as never },
      ],
    });
    const { pipeline } = await JobDict.unpack(await dict.pack());
    assert.deepEqual(
      pipeline?.map(({ name, grouping, partitions }) => [name, grouping, partitions]),
      [
        ["stage0", "split", 2],
        ["end", "group_all", null],
      ],
    );
    assert.deepEqual(pipeline?.[0]?.map?.("a", {}), [["a", 1]]);
  });

  it("refuses what is no job pack of ours", async () => {
    await assert.rejects(JobDict.unpack(Buffer.from("not a pack")), { name: "JobError" });
    await assert.rejects(JobDict.unpack("text" as never), { code: "bad-job-pack" });
  });
});
