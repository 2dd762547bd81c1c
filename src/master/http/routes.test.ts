import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type FakeMaster, jobEvents, openFakeMaster } from "./fake-master.test-kit.ts";
import { answer, requestOf } from "./routes.ts";

const ends: number[] = [];
for (const event of jobEvents) ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(JSON.stringify(event)) + 1);

let master: FakeMaster;
before(async () => {
  master = await openFakeMaster();
});
after(() => master.close());

async function ask(
  path: string,
  options: { data?: string; offset?: number } = {},
): Promise<{ status: number; text: string }> {
  const { status, body } = await answer(requestOf(path, options), master);
  return { status, text: Buffer.from(body).toString("utf8") };
}

async function askJson(path: string, data?: string): Promise<unknown> {
  const { status, text } = await ask(path, data === undefined ? {} : { data });
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

describe("the master's HTTP interface", () => {
  test("answers in Disco's shapes", async () => {
    assert.equal(await askJson("/disco/version"), "0.5.4");
    assert.deepEqual(await askJson("/disco/job/new", "a pack"), ["ok", "job@1"]);
    assert.deepEqual(await askJson("/disco/ctrl/joblist"), [[12, "ready", "job@1"]]);
    assert.deepEqual(await askJson("/disco/ctrl/get_stageresults?name=job@1&stage=map"), [["dir://h/x"]]);
    assert.deepEqual(await askJson("/disco/ctrl/get_results", '[2000,["job@1","other"]]'), [
      ["job@1", ["ready", [["dir://h/x"]]]],
      ["other", ["unknown job", []]],
    ]);
    assert.deepEqual(await askJson("/disco/ctrl/get_blacklist"), ["h"]);
    const { pipeline, active, results } = (await askJson("/disco/ctrl/jobinfo?name=job@1")) as Record<string, unknown>;
    assert.deepEqual(
      { pipeline, active, results },
      { pipeline: [["map", 0, 0, 0, 1, 0]], active: "ready", results: ["dir://h/x"] },
    );
    assert.deepEqual(await askJson("/disco/ctrl/nodeinfo"), {
      h: {
        job_ok: 3,
        data_error: 0,
        error: 1,
        max_workers: 2,
        connected: true,
        blacklisted: true,
        diskfree: 4,
        diskused: 1,
        tasks: ["job@1"],
      },
    });
  });

  test("saved results are a tag, not a list of replicas, and a job that brings its worker along says which", async () => {
    const tag = "tag://disco:results:job@1";
    const result = { name: "job@1", status: "ready", results: [tag], reason: null, failure: null } as const;
    const saved = Object.assign(Object.create(master) as FakeMaster, {
      results: async () => Promise.resolve([result]),
      jobInfo: async () => ({ ...(await master.jobInfo("job@1")), worker: "lib/worker.py", results: [tag] }),
    });
    const body = async (path: string, data?: string): Promise<unknown> =>
      JSON.parse(String(Buffer.from((await answer(requestOf(path, data === undefined ? {} : { data }), saved)).body)));
    assert.deepEqual(await body("/disco/ctrl/get_results", '[0,["job@1"]]'), [["job@1", ["ready", [tag]]]]);
    const { worker, results } = (await body("/disco/ctrl/jobinfo?name=job@1")) as Record<string, unknown>;
    assert.deepEqual({ worker, results }, { worker: "lib/worker.py", results: [tag] });
  });

  test("a refused job is 200 with the reason, as Disco's client expects it", async () => {
    assert.deepEqual(await askJson("/disco/job/new", ""), ["error", "Job failed to start: invalid header"]);
  });

  test("raw events have the offsets of the log, line by line", async () => {
    const { text } = await ask("/disco/ctrl/rawevents?name=job@1");
    let at = 0;
    for (const [i, line] of text.split("\n").slice(0, -1).entries()) {
      at += Buffer.byteLength(line) + 1;
      assert.equal(at, ends[i]);
      assert.equal((JSON.parse(line) as unknown[]).length, 3);
    }
    assert.match(text, /"MSG: \[map:0\] x"/);
    const rest = await ask("/disco/ctrl/rawevents?name=job@1", { offset: ends[0] ?? 0 });
    assert.equal(rest.text.trimEnd().split("\n").length, 2);
  });

  test("job events are the newest first, limited and filtered", async () => {
    const all = (await askJson("/disco/ctrl/jobevents?name=job@1&num=2")) as string[][];
    assert.deepEqual(
      all.map((event) => event[2]),
      ["MSG: [map:0] x", "ö".repeat(20)],
    );
    assert.equal(((await askJson("/disco/ctrl/jobevents?name=job@1&filter=INIT")) as unknown[]).length, 1);
  });

  test("the job pack can be read from an offset on", async () => {
    assert.equal((await ask("/disco/ctrl/parameters?name=job@1", { offset: 7 })).text, "789");
  });

  test("ending a job that is not known is no error", async () => {
    assert.equal(await askJson("/disco/ctrl/kill_job", '"nobody"'), "");
    assert.equal(await askJson("/disco/ctrl/kill_job", '"job@1"'), "");
    assert.deepEqual(master.calls.at(-1), ["kill", "job@1"]);
  });

  for (const [title, path, data, status] of [
    ["an unknown path", "/disco/ctrl/nothing", undefined, 404],
    ["a path above the root", "/../../etc/passwd", undefined, 404],
    ["an unknown job", "/disco/ctrl/jobinfo?name=other", undefined, 404],
    ["a missing name", "/disco/ctrl/jobinfo", undefined, 400],
    ["the wrong method", "/disco/ctrl/joblist", "x", 405],
    ["a GET that needs a body", "/disco/ctrl/kill_job", undefined, 405],
    ["malformed JSON", "/disco/ctrl/kill_job", "{", 400],
    ["JSON of the wrong shape", "/disco/ctrl/kill_job", "5", 400],
    ["a fractional time-out", "/disco/ctrl/get_results", '[0.5,["a"]]', 400],
    ["names that are none", "/disco/ctrl/get_results", "[5,[5]]", 400],
    ["a bad number", "/disco/ctrl/jobevents?name=job@1&num=-1", undefined, 400],
  ] as const) {
    test(`${title} is answered by ${status}`, async () => {
      assert.equal((await ask(path, data === undefined ? {} : { data })).status, status);
    });
  }

  test("a wrong shape is told as Disco tells it", async () => {
    assert.equal((await ask("/disco/ctrl/kill_job", { data: "5" })).text, "\"string expected, '5' received\"");
  });
});
