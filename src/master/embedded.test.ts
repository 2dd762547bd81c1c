import assert from "node:assert/strict";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { JobEvent, JobInfo, MasterApi } from "../client/master-api.ts";
import { jobDirectory } from "../node/job-directory.ts";
import { type EmbeddedOptions, openEmbedded } from "./embedded.ts";
import { packOf, scriptedMemoryBytes, scriptedWorker } from "./fixtures/packs.ts";

const temporary = await mkdtemp(join(tmpdir(), "disco-embedded-"));
after(() => rm(temporary, { recursive: true, force: true }));
let roots = 0;
const newRoot = (): string => join(temporary, String(roots++));

async function engine(options: EmbeddedOptions = {}): Promise<MasterApi & AsyncDisposable> {
  const defaults = { root: newRoot(), slots: 2, workerScript: scriptedWorker, memoryLimitBytes: scriptedMemoryBytes };
  const master = await openEmbedded({ ...defaults, ...options });
  return Object.assign(master, { [Symbol.asyncDispose]: () => master.close() });
}

interface End {
  status: string;
  results: readonly string[];
  reason: string;
  code: string | undefined;
}

async function end(master: MasterApi, job: string): Promise<End> {
  const [result] = await master.results([job], 30_000);
  assert.ok(result !== undefined && result.status !== "active", "the job takes too long");
  return { status: result.status, results: result.results, reason: result.reason ?? "", code: result.failure?.code };
}

async function eventsOf(master: MasterApi, job: string, offset = 0): Promise<[number, JobEvent][]> {
  const all: [number, JobEvent][] = [];
  for await (const event of master.events(job, offset)) all.push(event);
  return all;
}

async function until(master: MasterApi, job: string, holds: (info: JobInfo) => boolean): Promise<void> {
  for await (const info of master.progress(job, { intervalMs: 1 })) if (holds(info)) return;
  assert.fail("the job ended before");
}

const isRunning = ({ stages }: JobInfo): boolean => stages.some(({ running }) => running > 0);

describe("a job in the embedded engine", () => {
  test("runs through its stages, and its events tell the story", async () => {
    await using master = await engine();
    const job = await master.submit(packOf(["ok", "ok-2"], { tasks: 5 }));
    assert.match(job, /^job@[0-9a-f]+:[0-9a-f]+:[0-9a-f]+$/);
    const { status, results } = await end(master, job);
    assert.equal(status, "ready");
    assert.deepEqual(results, [`dir://localhost/disco/${jobDirectory("localhost", job)}/.disco/0.results`]);
    const events = await eventsOf(master, job);
    const messages = events.map(([, { message }]) => message);
    assert.equal(messages[0], "New job initialized!");
    assert.match(messages.at(-1) ?? "", /^READY: Job done in /);
    assert.deepEqual(await eventsOf(master, job, events[9]?.[0]), events.slice(10));
    const { stages, hosts, inputs } = await master.jobInfo(job);
    assert.deepEqual(
      stages.map(({ tasks, done }) => [tasks, done]),
      [
        [5, 5],
        [1, 1],
      ],
    );
    assert.deepEqual([hosts, inputs.length], [[], 5]);
    assert.deepEqual(await master.stageResults(job, "ok-2"), results);
    await assert.rejects(master.stageResults(job, "ok"), { code: "stage-gone" });
    await assert.rejects(master.stageResults(job, "other"), { code: "unknown-stage" });
  });

  test("survives failures and losses that retries can heal", async () => {
    await using master = await engine();
    const jobs = [await master.submit(packOf(["flaky"])), await master.submit(packOf(["unlucky"]))];
    for (const job of jobs) assert.equal((await end(master, job)).status, "ready");
  });

  for (const [act, code] of [
    ["fail", "user-error"],
    ["exit0", "worker-exit"],
    ["exit1", "worker-exit"],
    ["abort", "worker-signal"],
    ["rss", "out-of-memory"],
  ] as const) {
    test(`is dead with ${code} when a task always ends by ${act}`, async () => {
      await using master = await engine();
      const { status, reason, code: found } = await end(master, await master.submit(packOf([act])));
      assert.deepEqual([status, found], ["dead", code]);
      assert.match(reason, new RegExp(`task ${act}:0`));
    });
  }

  test("is dead with timeout when a task makes no progress", async () => {
    await using master = await engine();
    const job = await master.submit(packOf(["loop"], { taskTimeoutMs: 200, retries: 0 }));
    assert.equal((await end(master, job)).code, "timeout");
  });

  test("is killed in the middle of an endless loop within a second, and its files are swept", async () => {
    const root = newRoot();
    await using master = await engine({ root });
    const job = await master.submit(packOf(["loop"], { tasks: 4 }));
    await until(master, job, isRunning);
    const begun = performance.now();
    await master.kill(job, "enough");
    assert.ok(performance.now() - begun < 1_000);
    assert.deepEqual(await end(master, job), { status: "dead", results: [], reason: "enough", code: undefined });
    assert.deepEqual(await readdir(join(root, "data", jobDirectory("localhost", job), ".disco")), []);
    assert.equal((await end(master, await master.submit(packOf(["ok"])))).status, "ready");
  });

  test("tells its progress live, and what its tasks say", async () => {
    await using master = await engine();
    const job = await master.submit(packOf(["talk"]));
    await until(master, job, ({ stages }) => stages[0]?.recordsIn === 7 && stages[0].bytesIn === 70);
    await end(master, job);
    const said = (await eventsOf(master, job)).filter(([, { level }]) => level === "message");
    assert.deepEqual(
      said.map(([, { task, host, message }]) => [task, host, message]),
      [0, 1, 2].map((i) => ["talk:0", "localhost", `line ${i}`]),
    );
    const { status, body } = await master.request(`/disco/ctrl/rawevents?name=${job}`);
    assert.equal(status, 200);
    assert.match(Buffer.from(body).toString("utf8"), /"localhost","MSG: \[talk:0\] line 2"/);
  });

  test("keeps its out-of-band values; of one key the later stage's and higher task's", async () => {
    const root = newRoot();
    await using master = await engine({ root });
    const job = await master.submit(packOf(["put", "put-2"], { tasks: 3 }));
    await end(master, job);
    assert.deepEqual(await master.oobList(job), ["greeting"]);
    assert.equal(Buffer.from(await master.oobGet(job, "greeting")).toString(), "from put-2:0");
    await assert.rejects(master.oobGet(job, "other"), { code: "unknown-key" });
  });

  test("goes on while its state is asked for again and again, without a pause", async () => {
    await using master = await engine();
    const begun = performance.now();
    const job = await master.submit(packOf(["ok"]));
    while ((await master.results([job], 0))[0]?.status === "active") assert.ok(performance.now() - begun < 30_000);
    const next = await master.submit(packOf(["ok"]));
    while ((await master.jobInfo(next)).status === "active") assert.ok(performance.now() - begun < 30_000);
  });

  test("waits while its node is blacklisted", async () => {
    await using master = await engine();
    await master.blacklist("localhost");
    const job = await master.submit(packOf(["ok"]));
    assert.equal((await master.results([job], 50))[0]?.status, "active");
    assert.equal((await master.nodeInfo())[0]?.blacklisted, true);
    await master.whitelist("localhost");
    assert.equal((await end(master, job)).status, "ready");
  });

  test("is the same job when it is submitted again with its key", async () => {
    await using master = await engine();
    const pack = packOf(["ok"]);
    const names = await Promise.all([1, 2, 3].map(() => master.submit(pack, { idempotencyKey: "once" })));
    assert.equal(new Set(names).size, 1);
    await end(master, names[0] as string);
    assert.equal(await master.submit(pack, { idempotencyKey: "once" }), names[0]);
    assert.notEqual(await master.submit(pack), names[0]);
  });

  test("is no more waited for once that is called off, at its beginning, too", async () => {
    await using master = await engine();
    await master.blacklist("localhost");
    const job = await master.submit(packOf(["ok"]));
    const stop = new AbortController();
    const waiting = master.results([job], 60_000, stop.signal);
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(master.results([job], 60_000, stop.signal), reason);
    await assert.rejects(master.results([job], 0, stop.signal), reason);
    assert.equal((await master.results([job], 0))[0]?.status, "active");
  });

  test("is forgotten by clean, and leaves nothing after purge", async () => {
    const root = newRoot();
    await using master = await engine({ root });
    const job = await master.submit(packOf(["ok"]));
    await end(master, job);
    assert.deepEqual(Buffer.from(await master.jobPack(job)), Buffer.from(packOf(["ok"])));
    await master.clean(job);
    await assert.rejects(master.jobInfo(job), { code: "unknown-job" });
    assert.equal((await master.results([job], 0))[0]?.status, "unknown_job");
    const home = join(root, "data", jobDirectory("localhost", job));
    await access(home);
    await master.purge(job);
    await assert.rejects(access(home), { code: "ENOENT" });
    await assert.rejects(access(join(root, "data", jobDirectory("_master", job))), { code: "ENOENT" });
  });

  test("is ended by a purge in the middle", async () => {
    const root = newRoot();
    await using master = await engine({ root });
    const job = await master.submit(packOf(["loop"]));
    await until(master, job, isRunning);
    const waiting = master.results([job], 30_000);
    await master.purge(job);
    assert.equal((await waiting)[0]?.status, "unknown_job");
    await assert.rejects(access(join(root, "data", jobDirectory("localhost", job))), { code: "ENOENT" });
  });

  test("is refused when its pack is bad, and nothing is left of it", async () => {
    const root = newRoot();
    await using master = await engine({ root });
    await assert.rejects(master.submit(Buffer.from("no pack")), { name: "JobError", code: "bad-jobpack" });
    await assert.rejects(master.submit(packOf(["ok"], { retries: -1 })), { code: "bad-jobpack", message: /retries/ });
    assert.deepEqual(await master.jobList(), []);
  });

  test("many at once all end, and have names of their own", async () => {
    await using master = await engine();
    const jobs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => master.submit(packOf(["ok", "ok-2"], { tasks: i + 1 }))),
    );
    assert.equal(new Set(jobs).size, 8);
    for (const job of jobs) assert.equal((await end(master, job)).status, "ready");
    assert.equal((await master.jobList()).length, 8);
  });
});

test("names that are no jobs are unknown, and none reaches the file system", async () => {
  await using master = await engine();
  for (const name of ["nobody", "../../etc", "a/b", ""]) {
    await assert.rejects(master.jobInfo(name), { code: "unknown-job" });
    await assert.rejects(master.kill(name), { code: "unknown-job" });
    await assert.rejects(eventsOf(master, name), { code: "unknown-job" });
  }
  await assert.rejects(master.purge("../../etc"), { code: "unknown-job" });
});

test("an engine that is closed in the middle of a submission leaves nothing of the job", async () => {
  const root = newRoot();
  const master = await engine({ root });
  const submission = assert.rejects(master.submit(packOf(["ok"])), { code: "closed" });
  await master.close();
  await submission;
  const left = await readdir(join(root, "data", "_master"), { recursive: true });
  assert.deepEqual(
    left.filter((name) => name.includes("job@")),
    [],
  );
});

test("an engine whose node cannot start leaves its journal to the next one", async () => {
  const root = newRoot();
  await mkdir(join(root, "data"), { recursive: true });
  await writeFile(join(root, "data", "localhost"), "no directory");
  await assert.rejects(engine({ root }), { code: "node-unable" });
  await rm(join(root, "data", "localhost"));
  await using _master = await engine({ root });
  await assert.rejects(access(join(root, "journal-2.sqlite")), { code: "ENOENT" });
});

test("a closed engine refuses, and ends whoever waits", async () => {
  const master = await engine();
  const job = await master.submit(packOf(["loop"]));
  await until(master, job, isRunning);
  const waiting = assert.rejects(master.results([job], 30_000), { code: "closed" });
  await master.close();
  await waiting;
  await assert.rejects(master.submit(packOf(["ok"])), { code: "closed" });
  await assert.rejects(master.jobList(), { code: "closed" });
  await master.close();
});
