import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TaskFailure } from "../errors.ts";
import { decodeJobPack } from "../protocol/jobpack.ts";
import { nopMap } from "../worker/nop.ts";
import { Disco } from "./disco.ts";
import { FakeDisco } from "./fake-master.test-kit.ts";
import { Job } from "./job.ts";
import { resultIterator } from "./result-iterator.ts";

const dict = { input: ["raw://x"], map: nopMap as never };
const failure: TaskFailure = {
  code: "user-error",
  name: "TypeError",
  message: "line.toLowercase is not a function",
  retry: "never",
  location: { file: "/home/me/job.ts", line: 7, column: 20 },
  frame: "> 7 |   map: (line) => line.toLowercase(),\n    |                       ^",
};

describe("newJob", () => {
  it("sends a job pack and returns a job with a unique name", async () => {
    const started: string[] = [];
    const disco = new FakeDisco({ onSubmit: (name) => started.push(name) });
    const job = await disco.newJob("wordcount", dict);
    assert.equal(job.name, "job@0:0:1");
    assert.deepEqual(started, ["job@0:0:1"]);
    const { jobdict } = decodeJobPack(disco.fake.packs[0] as Uint8Array);
    assert.equal(jobdict["prefix"], "wordcount");
    assert.deepEqual(jobdict["inputs"], [[0, 1, ["raw://x"]]]);
    assert.deepEqual(jobdict["pipeline"], [["map", "split", false]]);
  });

  it("refuses bad names, options and inputs, and then sends nothing", async () => {
    const disco = new FakeDisco();
    await assert.rejects(disco.newJob("word-count", dict), { name: "JobError", code: "bad-name" });
    await assert.rejects(disco.newJob("a", { ...dict, partitons: 2 } as never), { code: "unknown-option" });
    await assert.rejects(disco.newJob("a", { ...dict, input: [] }), { code: "bad-input" });
    await assert.rejects(disco.newJob("a", { ...dict, input: ["/no/such/file"] }), { code: "no-such-file" });
    await assert.rejects(disco.newJob("a", { input: ["raw://x"] } as never), /neither map nor reduce/);
    const captured = 3;
    await assert.rejects(disco.newJob("a", { ...dict, map: (line: string) => [[line, captured]] }), {
      name: "JobError",
      code: "captured-variable",
      message: /captured/,
    });
    assert.equal(disco.fake.packs.length, 0);
  });

  it("runs a job whose handle exists", async () => {
    const disco = new FakeDisco();
    const job = new Job(disco, "again");
    assert.equal(job.name, "again");
    const same = await job.run(dict);
    assert.equal(same, job as unknown);
    assert.equal(job.name, "job@0:0:1");
  });
});

describe("wait", () => {
  it("returns the results as soon as the job is ready", async () => {
    const disco = new FakeDisco();
    const job = await disco.newJob("a", dict);
    const waiting = job.wait({ timeout: 30 });
    disco.fake.set(job.name, "ready", { results: ["dir://localhost/x"] });
    assert.deepEqual(await waiting, ["dir://localhost/x"]);
    assert.ok(disco.fake.calls.includes(`results ${job.name} 2000`));
    await job.wait({ clean: true });
    assert.equal(disco.fake.calls.at(-1), `clean ${job.name}`);
  });

  it("throws the first failure with the user's line when the job dies", async () => {
    const disco = new FakeDisco();
    disco.fake.set("a@1:2:3", "dead", { reason: "Task map:0 failed", failure });
    await assert.rejects(
      disco.wait("a@1:2:3"),
      (error: Error & { failure?: TaskFailure; code?: string; job?: string }) => {
        assert.equal(error.name, "JobError");
        assert.equal(error.code, "user-error");
        assert.equal(error.job, "a@1:2:3");
        assert.deepEqual(error.failure, failure);
        assert.match(error.message, /job a@1:2:3 is dead: Task map:0 failed/);
        assert.match(error.message, /TypeError: line\.toLowercase is not a function/);
        assert.match(error.message, /at \/home\/me\/job\.ts:7:20/);
        assert.match(error.message, /> 7 \| {3}map: \(line\) => line\.toLowercase\(\)/);
        return true;
      },
    );
  });

  it("throws when the job was killed, is unknown, or the time is up", async () => {
    const disco = new FakeDisco();
    disco.fake.set("k@1:2:3", "dead", { reason: "killed" });
    await assert.rejects(disco.wait("k@1:2:3"), { name: "JobError", code: "job-dead", message: /is dead: killed/ });
    await assert.rejects(disco.wait("u@1:2:3"), { name: "DiscoError", code: "unknown-job" });
    disco.fake.set("a@1:2:3", "active");
    await assert.rejects(disco.wait("a@1:2:3", { timeout: 0.01 }), {
      name: "JobError",
      code: "timeout",
      message: /tasks wait: nobody works/,
    });
    await assert.rejects(disco.wait("a@1:2:3", { timeout: -1 }), { code: "bad-option" });
    await assert.rejects(disco.wait("a@1:2:3", { show: "loud" as never }), { code: "bad-option" });
  });
});

describe("results", () => {
  it("of one job are its addresses, or none when the time is up", async () => {
    const disco = new FakeDisco();
    disco.fake.set("r@1:2:3", "ready", { results: ["dir://x"] });
    disco.fake.set("a@1:2:3", "active");
    disco.fake.set("d@1:2:3", "dead", { failure });
    assert.deepEqual(await disco.results("r@1:2:3"), ["dir://x"]);
    assert.deepEqual(await disco.results("a@1:2:3", { timeout: 1 }), []);
    assert.deepEqual(await disco.results(["r@1:2:3", ["active", []]]), ["dir://x"]);
    await assert.rejects(disco.results("d@1:2:3"), { name: "JobError", failure });
    await assert.rejects(disco.results("u@1:2:3"), { code: "unknown-job" });
    await assert.rejects(disco.results("r@1:2:3", { timeout: Number.NaN }), { code: "bad-option" });
    await assert.rejects(disco.results(7 as never), { code: "bad-option" });
  });

  it("of many jobs come as finished and active ones, which can be asked for again", async () => {
    const disco = new FakeDisco();
    const jobs = [await disco.newJob("a", dict), await disco.newJob("b", dict), await disco.newJob("c", dict)];
    disco.fake.set(jobs[0]?.name as string, "ready", { results: ["dir://a"] });
    const [finished, active] = await disco.results([...jobs.slice(1), jobs[0] as Job, "u@1:2:3"], { timeout: 5 });
    assert.deepEqual(finished, [
      ["job@0:0:1", ["ready", ["dir://a"]]],
      ["u@1:2:3", ["unknown_job", []]],
    ]);
    assert.deepEqual(
      active.map(([name]) => name),
      ["job@0:0:2", "job@0:0:3"],
    );
    const asked = disco.fake.nextQuestion();
    const again = disco.results(active, { timeout: 30_000 });
    await asked;
    disco.fake.set("job@0:0:3", "dead");
    assert.deepEqual(await again, [[["job@0:0:3", ["dead", []]]], [["job@0:0:2", ["active", []]]]]);
    assert.deepEqual(await disco.results([]), [[], []]);
  });
});

describe("the other methods", () => {
  it("reach the master, by job or by name", async () => {
    const disco = new FakeDisco();
    const job = await disco.newJob("a", dict);
    await job.kill();
    await disco.clean(job.name);
    await disco.blacklist("node1");
    await disco.whitelist("node1");
    assert.deepEqual(await job.oobList(), ["a", "b"]);
    assert.equal(Buffer.from(await job.oobGet("a")).toString(), `${job.name} a`);
    assert.deepEqual(await job.mapresults(), [`${job.name} map`]);
    assert.deepEqual(await disco.config(), [["localhost", "3"]]);
    assert.equal((await disco.joblist())[0]?.name, job.name);
    assert.ok((await job.jobspec()).length > 128);
    {
      await using purged = new Job(disco, "p@1:2:3");
      assert.ok(purged);
    }
    const expected = [`kill ${job.name}`, `clean ${job.name}`, "blacklist node1", "whitelist node1", "purge p@1:2:3"];
    assert.deepEqual(disco.fake.calls, expected);
  });

  it("events can be resumed at an offset", async () => {
    const disco = new FakeDisco();
    const event = (message: string) => ({
      time: "2026-11-22T11:27:24.000Z",
      host: "master",
      task: null,
      level: "info" as const,
      message,
    });
    disco.fake.shown = [event("one"), event("two"), event("three")];
    const job = new Job(disco, "e@1:2:3");
    const seen: string[] = [];
    let at = 0;
    for await (const [offset, { message }] of job.events()) {
      seen.push(message);
      at = offset;
      if (seen.length === 2) break;
    }
    for await (const [, { message }] of job.events(at)) seen.push(message);
    assert.deepEqual(seen, ["one", "two", "three"]);
    await assert.rejects(job.events(-1)[Symbol.asyncIterator]().next(), { code: "bad-option" });
  });

  it("request gives the raw reply, or an error with the status", async () => {
    const disco = new FakeDisco();
    assert.equal(await disco.request("/disco/version"), '"0.5.4"');
    assert.equal(await disco.request("disco/version"), '"0.5.4"');
    await assert.rejects(disco.request("/nothing"), { name: "CommError", code: "http-404" });
  });

  it("of the filesystem go to the same master, and are refused when it is closed", async () => {
    const disco = new Disco();
    assert.equal(disco.ddfs, disco.ddfs);
    await disco.close();
    await assert.rejects(disco.ddfs.list(), { code: "closed" });
  });

  it("of a closed Disco are refused", async () => {
    const disco = new Disco();
    await disco.close();
    await disco.close();
    await assert.rejects(disco.joblist(), { code: "closed" });
    await assert.rejects(resultIterator(new Job(disco, "a@1:2:3")).toArray(), { code: "closed" });
  });
});
