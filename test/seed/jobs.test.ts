/** The seed's `Disco` and `Job`: starting, waiting for, asking about, ending and removing jobs. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, describe, it } from "node:test";
import { DiscoError, Job, JobDict, JobError, jobname, nopReduce, resultIterator } from "disco-mapreduce";
import { heard, openBench, rejection, sorted } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const pairs = (line: string): [string, number][] => line.split(" ").map((word) => [word, 1]);
function endless(): [string, number][] {
  console.log("begun");
  for (;;);
}
const hello = { input: ["raw://hello world"], map: pairs };

describe("newJob", { timeout: 60_000 }, () => {
  it("returns a Job at once, whose unique name begins with the one given", async () => {
    const jobs = await Promise.all([1, 2, 3].map(() => disco.newJob("same", { input: ["raw://x"], map: endless })));
    for (const job of jobs) {
      assert.ok(job instanceof Job);
      assert.match(job.name, /^same@[0-9a-f:]+$/);
      assert.equal((await job.jobinfo()).status, "active");
    }
    assert.equal(new Set(jobs.map(({ name }) => name)).size, 3);
    await Promise.all(jobs.map((job) => job.kill()));
  });

  it("raises a JobError before anything is sent, for whatever is wrong", async () => {
    const before = await disco.joblist();
    const outer = 3;
    const wrong: [code: string, newJob: () => Promise<unknown>][] = [
      ["bad-name", () => disco.newJob("a b", hello)],
      ["bad-name", () => disco.newJob("", hello)],
      ["bad-name", () => disco.newJob("é", hello)],
      ["bad-input", () => disco.newJob("x", { ...hello, input: [] })],
      ["no-such-file", () => disco.newJob("x", { ...hello, input: [`${bench.root}/none`] })],
      ["no-such-file", () => disco.newJob("x", { ...hello, input: [`${bench.root}/*.none`] })],
      ["bad-input", () => disco.newJob("x", { ...hello, input: [bench.root] })],
      ["bad-option", () => disco.newJob("x", { ...hello, partitions: 0 })],
      ["bad-option", () => disco.newJob("x", { ...hello, partitions: 1.5 })],
      ["unknown-option", () => disco.newJob("x", { ...hello, ...{ partition_count: 1 } })],
      ["bad-option", () => disco.newJob("x", { input: ["raw://x"] })],
      ["captured-variable", () => disco.newJob("x", { input: ["raw://x"], map: (line) => [[line, outer]] })],
    ];
    for (const [code, newJob] of wrong) {
      const error = await rejection(newJob());
      assert.ok(error instanceof JobError, String(error));
      assert.equal(error.code, code);
    }
    assert.deepEqual(await disco.joblist(), before);
  });

  it("names the captured variable, its function and line, and params as the way out", async () => {
    const factor = Math.max(2, 3);
    const error = await rejection(
      disco.newJob("captures", { input: ["raw://1"], map: (line) => [[line, Number(line) * factor]] }),
    );
    assert.match(error.message, /factor/);
    assert.match(error.message, /map/);
    assert.match(`${error.message} ${error["hint"]}`, /jobs\.test\.ts:\d+/);
    assert.match(String(error["hint"]), /params/);
  });

  it("takes the same job dict many times, as an object or a JobDict", async () => {
    const dict = new JobDict({ input: ["raw://a a b"], map: pairs, reduce: nopReduce, sort: true });
    const results = [];
    for (const name of ["first", "second"]) {
      results.push(await resultIterator(await disco.newJob(name, dict)).toArray());
    }
    const again = await new Job(disco, "third").run(await JobDict.unpack(await dict.pack()));
    results.push(await resultIterator(again).toArray());
    for (const records of results) {
      assert.deepEqual(records, [
        ["a", 1],
        ["a", 1],
        ["b", 1],
      ]);
    }
  });
});

describe("wait", { timeout: 60_000 }, () => {
  it("returns the addresses of the results, at once when the job has ended", async () => {
    const job = await disco.newJob("waited", hello);
    const results = await job.wait();
    assert.deepEqual(results.map(jobname), [job.name]);
    assert.deepEqual(await disco.wait(job.name), results);
    assert.deepEqual(await disco.wait(job, { timeout: 0 }), results);
  });

  it("notices the end of a job without waiting for the next poll", async () => {
    const job = await disco.newJob("polled", hello);
    await job.wait({ pollInterval: 3600, timeout: 50 });
  });

  it("raises a JobError when the job has not finished in timeout seconds; the job goes on", async () => {
    const job = await disco.newJob("slow", { input: ["raw://x"], map: endless });
    const error = await rejection(job.wait({ timeout: 0.05 }));
    assert.ok(error instanceof JobError);
    assert.equal(error.code, "timeout");
    assert.match(error.message, /0\.05 s/);
    assert.equal((await job.jobinfo()).status, "active");
    await job.kill();
  });

  it("with clean forgets the records and leaves the results, which purge deletes by their address", async () => {
    const job = await disco.newJob("cleaned", hello);
    const results = await job.wait({ clean: true });
    await assert.rejects(job.jobinfo(), { code: "unknown-job" });
    assert.deepEqual(await sorted(resultIterator(results)), ["hello 1", "world 1"]);
    await disco.purge(jobname(results[0] as string));
    await assert.rejects(resultIterator(results).toArray(), { code: "no-such-file" });
  });

  it("of a job that failed carries the first fatal error, with the line of the user's source", async () => {
    const job = await disco.newJob("broken", {
      input: ["raw://x"],
      map(line): [string, number][] {
        throw new RangeError(`no good: ${line}`);
      },
    });
    const error = await rejection(job.wait());
    assert.ok(error instanceof JobError);
    assert.equal(error.failure?.name, "RangeError");
    assert.equal(error.failure?.message, "no good: x");
    assert.match(error.failure?.location?.file ?? "", /jobs\.test\.ts$/);
    assert.match(error.failure?.frame ?? "", /> *\d+ \|.*throw new RangeError/);
    assert.match(error.message, /no good: x/);
  });

  it("of an unknown job, or with nonsense, says so", async () => {
    await assert.rejects(disco.wait("nobody@1:2:3"), { name: "DiscoError", code: "unknown-job" });
    await assert.rejects(disco.wait("../etc"), { code: "bad-name" });
    await assert.rejects(disco.wait("nobody@1:2:3", { timeout: -1 }), { code: "bad-option" });
    await assert.rejects(disco.wait("nobody@1:2:3", { pollInterval: Number.NaN }), { code: "bad-option" });
  });
});

describe("questions about jobs", { timeout: 60_000 }, () => {
  it("are answered by Disco for a name as by the Job itself", async () => {
    const job = await disco.newJob("asked", { ...hello, partitions: 2, reduce: nopReduce });
    await job.wait();
    const info = await job.jobinfo();
    assert.deepEqual(await disco.jobinfo(job.name), info);
    assert.deepEqual(info.inputs, ["raw://hello world"]);
    assert.equal(info.status, "ready");
    assert.ok((info.endedAt as number) >= info.submittedAt);
    assert.deepEqual(info.results, await job.results());
    assert.deepEqual(
      info.stages.map(({ stage, done, failed, waiting, running }) => [stage, done, failed, waiting, running]),
      [
        ["map", 1, 0, 0, 0],
        ["reduce", 2, 0, 0, 0],
      ],
    );
    const entry = (await disco.joblist()).find(({ name }) => name === job.name);
    assert.equal(entry?.status, "ready");
    assert.equal(entry.submittedAt, info.submittedAt);
    assert.equal((await disco.joblist())[0]?.name, job.name, "the newest is the first");
  });

  it("are answered with the raw job pack, from which the same job can be run again", async () => {
    const job = await disco.newJob("packed", { ...hello, partitions: 3, seed: 7 });
    await job.wait();
    const pack = await job.jobspec();
    assert.ok(pack instanceof Uint8Array);
    assert.equal((await JobDict.unpack(pack)).partitions, 3);
    const dict = await job.jobdict();
    assert.equal(dict.seed, 7);
    assert.deepEqual(await sorted(resultIterator(await disco.newJob("again", dict))), ["hello 1", "world 1"]);
  });

  it("are answered for nodes: slots, tasks, disk, blacklist", async () => {
    const job = await disco.newJob("busy", { input: ["raw://x"], map: endless });
    await heard(job, /begun/);
    const [node, ...others] = await disco.nodeinfo();
    assert.deepEqual(others, []);
    assert.equal(node?.slots, 2);
    assert.equal(node.connected, true);
    assert.equal(node.blacklisted, false);
    assert.deepEqual(node.tasks, [job.name]);
    assert.ok(node.diskFreeBytes > 0);
    assert.deepEqual((await job.jobinfo()).hosts, [node.name]);
    assert.deepEqual(await disco.config(), [[node.name, "2"]]);
    await job.kill();
  });

  it("are answered raw by request: GET, POST where there is data, from an offset on", async () => {
    const job = await disco.newJob("requested", hello);
    await job.wait();
    const reply = await disco.request(`/disco/ctrl/jobinfo?name=${job.name}`);
    assert.equal((JSON.parse(reply) as { active: string }).active, "ready");
    const results = await disco.request("/disco/ctrl/get_results", { data: JSON.stringify([10, [job.name]]) });
    assert.ok(results.includes(job.name));
    const parameters = `/disco/ctrl/parameters?name=${job.name}`;
    const whole = await disco.request(parameters);
    assert.ok((await disco.request(parameters, { offset: 8 })).length < whole.length);
    await assert.rejects(disco.request("/disco/ctrl/nothing"), { name: "CommError", code: "http-404" });
  });

  it("are answered with the outputs of the map, once that has ended", async () => {
    const job = await disco.newJob("mapped", hello);
    const results = await job.wait();
    assert.deepEqual(await job.mapresults(), results);
  });

  it("about an unknown job are errors that say so", async () => {
    const name = "nobody@1:2:3";
    const asked = [
      disco.jobinfo(name),
      disco.jobspec(name),
      disco.jobdict(name),
      disco.kill(name),
      disco.clean(name),
      disco.results(name),
      disco.oobGet(name, "key"),
      disco.oobList(name),
      disco.mapresults(name),
      disco.events(name).next(),
    ];
    for (const error of await Promise.all(asked.map((promise) => rejection(promise)))) {
      assert.ok(error instanceof DiscoError);
      assert.equal(error.code, "unknown-job");
      assert.equal(error.job, name);
    }
  });
});

describe("kill, clean and purge", { timeout: 60_000 }, () => {
  it("kill ends a running job at once, even in an endless loop", async () => {
    const job = await disco.newJob("killed", { input: ["raw://a", "raw://b", "raw://c"], map: endless });
    await heard(job, /begun/);
    await disco.kill(job.name);
    const error = await rejection(job.wait());
    assert.ok(error instanceof JobError);
    assert.match(error.message, /killed/);
    const info = await job.jobinfo();
    assert.equal(info.status, "dead");
    assert.deepEqual(info.hosts, []);
    await job.kill();
    assert.deepEqual(await disco.results([job]), [[[job.name, ["dead", []]]], []]);
  });

  it("clean forgets the records and deletes no data; purge deletes records and every file", async () => {
    const job = await disco.newJob("two_ways", { ...hello, partitions: 2, reduce: nopReduce });
    const results = await job.wait();
    const files = resultFiles(results);
    await job.clean();
    await assert.rejects(job.jobinfo(), { code: "unknown-job" });
    assert.ok(!(await disco.joblist()).some(({ name }) => name === job.name));
    assert.deepEqual(await sorted(resultIterator(results)), ["hello 1", "world 1"]);
    assert.ok(files.every((file) => existsSync(file)));
    await new Job(disco, jobname(results[0] as string)).purge();
    assert.ok(files.every((file) => !existsSync(file)));
    await job.purge();
  });

  it("clean and purge of a job that runs end it first", async () => {
    for (const act of ["clean", "purge"] as const) {
      const job = await disco.newJob(`running_${act}`, { input: ["raw://x"], map: endless });
      await job[act]();
      assert.deepEqual((await disco.nodeinfo())[0]?.tasks, []);
      assert.deepEqual(await disco.results([job]), [[[job.name, ["unknown_job", []]]], []]);
    }
  });

  it("await using and using purge the job at the end of its block", async () => {
    let name: string;
    {
      using job = await disco.newJob("begun", hello);
      name = job.name;
      await job.wait();
    }
    while ((await disco.joblist()).some((entry) => entry.name === name)) await new Promise(setImmediate);
    {
      await using job = await disco.newJob("scoped", hello);
      name = job.name;
      await job.wait();
    }
    await assert.rejects(disco.jobinfo(name), { code: "unknown-job" });
  });
});

function resultFiles(results: readonly string[]): string[] {
  return results.map((url) => bench.path(url));
}
