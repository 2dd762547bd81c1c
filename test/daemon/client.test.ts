/** The library against a daemon: every method, and what happens when the daemon is killed under those who wait. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { chainReader, Disco, type Job, kvgroup, nopReduce, resultIterator, task } from "../../src/index.ts";
import type { JobData } from "../../src/protocol/job-data.ts";
import { decodeJobPack } from "../../src/protocol/jobpack.ts";
import { decodeValue } from "../../src/protocol/value.ts";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";
import { shout } from "./fixtures/shout.ts";

const run = promisify(execFile);

function codeOf(pack: Uint8Array): JobData["code"] {
  return (decodeValue(decodeJobPack(pack).jobdata) as JobData).code;
}

describe("a Disco with the address of a daemon", () => {
  let daemon: TestDaemon;
  let disco: Disco;
  before(async () => {
    daemon = await startDaemon();
    disco = new Disco(daemon.address);
  });
  after(async () => {
    await disco.close();
    await daemon[Symbol.asyncDispose]();
  });

  it("runs a job and gives its results, as the engine in this process does", async () => {
    const file = join(daemon.root, "text.txt");
    await writeFile(file, "b a\nc a\n");
    const job = await disco.newJob("wordcount", {
      input: [file, "raw://a b"],
      map: (line) => line.split(" ").map((word) => [word, 1] as const),
      *reduce(pairs) {
        for (const [word, counts] of kvgroup(pairs)) yield [word, counts.reduce((sum, n) => sum + n, 0)] as const;
      },
      sort: true,
      partitions: 2,
    });
    assert.match(job.name, /^wordcount@/);
    const results = await job.wait();
    for (const url of results) assert.ok(url.startsWith(`dir://${daemon.address.slice(8)}/disco/localhost/`), url);
    const counts = (await resultIterator(results).toArray()).sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(counts, [
      ["a", 3],
      ["b", 2],
      ["c", 1],
    ]);
    assert.deepEqual(await job.results(), results);
    // Results are inputs of the next job, which reads them where they lie.
    const next = await disco.newJob("again", {
      input: results,
      mapReader: chainReader,
      map: ([word, n]) => [[n, word] as const],
      reduce: nopReduce,
    });
    assert.equal((await resultIterator(await next.wait()).toArray()).length, 3);
    await disco.purge(next);
  });

  it("answers every question about jobs and nodes", async () => {
    const job = await disco.newJob("asked", {
      input: ["raw://x"],
      map: (text) => {
        console.log("hello from the task");
        task.put("key:1", "value");
        return [[text, 1] as const];
      },
      reduce: nopReduce,
      keep: true,
    });
    await job.wait({ show: false, pollInterval: 60 });
    const info = await job.jobinfo();
    assert.deepEqual([info.status, info.inputs, info.stages.length], ["ready", ["raw://x"], 2]);
    assert.deepEqual(info.results, await job.results());
    assert.ok((await disco.joblist()).some(({ name, status }) => name === job.name && status === "ready"));
    assert.deepEqual((await job.jobdict()).input, ["raw://x"]);
    assert.equal(decodeJobPack(await job.jobspec()).jobdict["prefix"], "asked");
    assert.deepEqual(
      (await disco.nodeinfo()).map(({ name, slots }) => [name, slots]),
      [["localhost", 2]],
    );
    assert.deepEqual(await disco.config(), [["localhost", "2"]]);
    assert.deepEqual(await job.oobList(), ["key:1"]);
    assert.equal(Buffer.from(await job.oobGet("key:1")).toString(), "value");
    await assert.rejects(job.oobGet("nothing"), { name: "DiscoError", code: "unknown-key" });
    const events: string[] = [];
    const offsets: number[] = [];
    for await (const [offset, { message }] of job.events()) {
      events.push(message);
      offsets.push(offset);
    }
    assert.ok(events.includes("hello from the task"));
    const rest: string[] = [];
    for await (const [, { message }] of job.events(offsets[2], { follow: false })) rest.push(message);
    assert.deepEqual(rest, events.slice(3));
    // Of another master perhaps, where it stands for another line: that one again, rather than one too few.
    const inFirst = await job.events(1)[Symbol.asyncIterator]().next();
    assert.equal(inFirst.done === false && inFirst.value[1].message, events[0]);
    await assert.rejects(job.events(-1)[Symbol.asyncIterator]().next(), { code: "bad-option" });
    assert.equal(JSON.parse(await disco.request("/disco/version")), "0.5.4");
    await assert.rejects(disco.request("/disco/nothing/at/all"), { name: "CommError", code: "http-404" });
    await assert.rejects(disco.mapresults("unknown@1:2:3"), { code: "unknown-job" });
    await job.clean();
    await assert.rejects(job.jobinfo(), { code: "unknown-job" });
    await job.purge();
    await disco.blacklist("localhost");
    assert.equal((await disco.nodeinfo())[0]?.blacklisted, true);
    await disco.whitelist("localhost");
    assert.equal((await disco.nodeinfo())[0]?.blacklisted, false);
  });

  it("tells of jobs that die, are killed, are unknown or refused, with the errors that the engine here has", async () => {
    const dying = await disco.newJob("dies", {
      input: ["raw://x"],
      map: (): [] => {
        throw new TypeError("this is the reason");
      },
    });
    await assert.rejects(dying.wait(), (error: Error & { code?: string; failure?: { frame?: string } }) => {
      assert.deepEqual([error.name, error.code], ["JobError", "user-error"]);
      assert.match(error.message, /this is the reason/);
      assert.match(error.failure?.frame ?? "", /> \d+ \|.*this is the reason/);
      return true;
    });
    const sleeping = await sleeper(disco, 60);
    const [, active] = await disco.results([sleeping], { timeout: 10 });
    assert.deepEqual(active, [[sleeping.name, ["active", []]]]);
    await assert.rejects(sleeping.wait({ timeout: 0.05 }), { name: "JobError", code: "timeout" });
    const other = await sleeper(disco, 60);
    const listed = disco.results([other, sleeping], { timeout: 60_000 });
    const waiting = assert.rejects(sleeping.wait(), { name: "JobError", code: "job-dead", message: /killed/ });
    await sleeping.kill();
    await waiting;
    assert.deepEqual(await listed, [[[sleeping.name, ["dead", []]]], [[other.name, ["active", []]]]]);
    await other.purge();
    await assert.rejects(disco.wait("unknown@1:2:3"), { name: "DiscoError", code: "unknown-job" });
    await assert.rejects(disco.newJob("labelled", { input: ["raw://x"], map: () => [], labels: { zone: "nowhere" } }), {
      name: "JobError",
      code: "no-node",
    });
  });

  it("keeps a process alive while it waits, and no longer", async () => {
    const script = join(import.meta.dirname, "fixtures/asks-and-leaves.ts");
    const job = await sleeper(disco, 3);
    const [asked, waited] = await Promise.all([
      run(process.execPath, [script, daemon.address], { timeout: 30_000 }),
      run(process.execPath, [script, daemon.address, job.name], { timeout: 30_000 }),
    ]);
    assert.deepEqual([asked.stdout, waited.stdout], ["1\n", "1\n"]);
  });

  it("sends what stands alone to a master on another machine, and refuses what lies here only", async () => {
    const imported = { input: ["raw://a"], map: (text: string) => [[shout(text), 1] as const] };
    const here = await disco.newJob("imports", imported);
    assert.equal(
      codeOf(await here.jobspec()).portable,
      false,
      "this machine's workers import the module where it lies",
    );
    assert.deepEqual(await resultIterator(await here.wait()).toArray(), [["A!", 1]]);
    // An address of this machine that does not look like one.
    await using remote = await startDaemon({ env: { DISCO_ALLOWED_HOSTS: "0.0.0.0" } });
    await using elsewhere = new Disco(remote.address.replace("127.0.0.1", "0.0.0.0"));
    const there = await elsewhere.newJob("imports", imported);
    assert.equal(codeOf(await there.jobspec()).portable, true);
    assert.deepEqual(await resultIterator(await there.wait()).toArray(), [["A!", 1]]);
    const file = join(import.meta.dirname, "client.test.ts");
    for (const input of [[file], [`file://${file}`], [["raw://a", file]], [join(import.meta.dirname, "*.ts")]]) {
      await assert.rejects(elsewhere.newJob("local", { input, map: () => [] }), {
        name: "JobError",
        code: "local-input",
        message: /^input\[0\]: .* is a file of this machine, and the master is another one: disco:\/\/0\.0\.0\.0:\d+$/,
      });
    }
    const packed = await (await disco.newJob("packed", { input: [file], map: () => [] })).jobdict();
    await assert.rejects(elsewhere.newJob("local", packed), { code: "local-input" });
    await assert.rejects(
      elsewhere.newJob("modules", {
        input: ["raw://a"],
        map: () => [],
        requiredModules: ["./test/daemon/fixtures/shout.ts"],
      }),
      { code: "local-module" },
    );
    assert.equal((await elsewhere.joblist()).length, 1, "nothing was sent");
  });
});

/** A job whose one task takes so long. */
function sleeper(disco: Disco, seconds: number): Promise<Job<string, number>> {
  return disco.newJob("sleeps", {
    input: ["raw://x"],
    params: { ms: seconds * 1000 },
    map: (text, { ms }) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      return [[text, 1] as const];
    },
  });
}

describe("many small jobs at once", () => {
  const jobs = 120;

  // A new process for each task would take longer than this.
  it("all end, through one client or several, and share workers and connections", { timeout: 60_000 }, async () => {
    await using daemon = await startDaemon();
    for (const clients of [1, 4]) {
      const discos = Array.from({ length: clients }, () => new Disco(daemon.address));
      const results = await Promise.all(
        Array.from({ length: jobs }, async (_, i) => {
          const disco = discos[i % clients] as Disco;
          const job = await disco.newJob("small", {
            input: [`raw://${i}`],
            map: (text) => [[text, 1] as const],
            reduce: nopReduce,
          });
          return await job.wait();
        }),
      );
      const pairs = await resultIterator(results.flat()).toArray();
      assert.deepEqual(
        pairs.map(([text]) => Number(text)),
        Array.from({ length: jobs }, (_, i) => i),
      );
      for (const disco of discos) await disco.close();
    }
  });
});

describe("those who wait for a daemon that is killed", () => {
  it("hear of the end of the job from the next one, with every event once", async () => {
    await using daemon = await startDaemon();
    await using disco = new Disco(daemon.address, { retrySeconds: 60 });
    const tasks = 16;
    const job = await disco.newJob("survives", {
      input: Array.from({ length: tasks }, (_, i) => `raw://${i}`),
      map: (text) => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
        return [[text, 1] as const];
      },
      reduce: nopReduce,
    });
    const states: string[] = [];
    const following = (async () => {
      for await (const { status } of (await disco.master()).progress(job.name)) states.push(status);
    })();
    const waiting = job.wait();
    const listed = disco.results([job], { timeout: 60_000 });
    const seen: [number, string][] = [];
    let kills = 0;
    let restarted = Promise.resolve();
    for await (const [offset, { message }] of job.events()) {
      seen.push([offset, message]);
      if (!/^DONE: \[map:\d+\]/.test(message) || kills > 2) continue;
      kills++;
      // This iteration waits for what comes next while the daemon is away.
      restarted = restarted.then(() => daemon.restart("kill"));
    }
    await restarted;
    assert.ok(kills > 1, `${kills} kills`);
    const results = await waiting;
    assert.equal((await resultIterator(results).toArray()).length, tasks);
    assert.deepEqual((await listed)[0], [[job.name, ["ready", results]]]);
    await following;
    assert.equal(states.at(-1), "ready");
    const whole: [number, string][] = [];
    for await (const [offset, { message }] of disco.events(job, 0, { follow: false })) whole.push([offset, message]);
    assert.deepEqual(seen, whole);
  });

  it("submit a job once, whenever the answer comes", async () => {
    await using daemon = await startDaemon();
    await using disco = new Disco(daemon.address, { retrySeconds: 60 });
    await disco.joblist();
    await daemon.kill();
    const submitted = Promise.all(Array.from({ length: 5 }, (_, i) => sleeper(disco, i / 100)));
    await daemon.start();
    const jobs = await submitted;
    await Promise.all(jobs.map((job) => job.wait()));
    assert.deepEqual((await disco.joblist()).map(({ name }) => name).sort(), jobs.map(({ name }) => name).sort());
  });

  it("are told when nobody comes back in time", async () => {
    await using daemon = await startDaemon();
    await using disco = new Disco(daemon.address, { retrySeconds: 0.5 });
    const job = await sleeper(disco, 60);
    const waiting = job.wait();
    await daemon.kill();
    await assert.rejects(waiting, { name: "CommError", code: "comm-error", hint: /disco start/ });
  });
});

describe("a daemon with tokens", () => {
  const tokens = { admin: "token-of-the-admin-0123456789", read: "token-of-a-reader-0123456789" };

  it("is told the token, lets it do what it allows, and shows it nowhere", async () => {
    await using daemon = await startDaemon({ env: { DISCO_TOKEN: tokens.admin, DISCO_READ_TOKEN: tokens.read } });
    await using disco = new Disco(daemon.address, { token: tokens.admin });
    const job = await disco.newJob("secret", { input: ["raw://x"], map: (text) => [[text, 1] as const] });
    const results = await job.wait();
    assert.deepEqual(await resultIterator(results).toArray(), [["x", 1]]);
    await using nobody = new Disco(daemon.address);
    await assert.rejects(nobody.joblist(), { name: "CommError", code: "unauthorized", hint: /DISCO_TOKEN/ });
    await using wrong = new Disco(daemon.address, { token: "some-other-token-9876543210" });
    await assert.rejects(wrong.joblist(), (error: Error & { code?: string }) => {
      assert.equal(error.code, "unauthorized");
      assert.doesNotMatch(`${error.message}${error.stack}`, /9876543210/);
      return true;
    });
    await using reader = new Disco(daemon.address, { token: tokens.read });
    assert.equal((await reader.joblist()).length, 1);
    assert.deepEqual(await reader.results(job), results);
    await assert.rejects(reader.kill(job), { name: "CommError", code: "forbidden", hint: /allows more/ });
    await assert.rejects(reader.newJob("no", { input: ["raw://x"], map: () => [] }), { code: "forbidden" });
    for (const token of Object.values(tokens)) assert.ok(!daemon.output.includes(token));
  });
});
