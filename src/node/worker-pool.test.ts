import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { NodeReport } from "../protocol/messages.ts";
import type { JobHome } from "./job-home.ts";
import { WorkerPool } from "./worker-pool.ts";

const script = fileURLToPath(new URL("./fixtures/scripted-worker.ts", import.meta.url));
const mebibyte = 1024 * 1024;
const ending = new Set(["done", "failed", "lost", "input-lost"]);
const root = await mkdtemp(join(tmpdir(), "disco-pool-"));
after(() => rm(root, { recursive: true, force: true }));

/** A pool whose reports can be awaited. */
class Bench {
  readonly reports: NodeReport[] = [];
  readonly pool: WorkerPool;
  dataServers: Readonly<Record<string, string>> = {};
  #waiters: { count: number; resolve: () => void }[] = [];
  #hold = setInterval(() => undefined, 1_000);
  #tasks = 0;

  constructor(slots = 1) {
    this.pool = new WorkerPool({
      slots,
      script,
      host: "h",
      master: () => "m",
      dataDir: root,
      incarnation: "i",
      memoryLimitBytes: 256 * mebibyte,
      now: () => performance.now(),
      peers: { dataServers: () => this.dataServers },
      report: (report) => {
        this.reports.push(report);
        for (const { count, resolve } of this.#waiters) if (this.ends.length >= count) resolve();
      },
    });
  }

  get ends(): NodeReport[] {
    return this.reports.filter(({ kind }) => ending.has(kind));
  }

  add(act: string, options: { job?: string; timeoutMs?: number; memory?: number } = {}): number {
    const task = this.#tasks++;
    const job = options.job ?? "job";
    const home: JobHome = {
      job,
      jobDir: job,
      packFile: "p",
      workDir: root,
      systemDir: root,
      hasFiles: false,
      codeKey: null,
    };
    this.pool.enqueue({
      home,
      task: {
        job,
        stage: 0,
        task,
        attempt: 0,
        stageName: act,
        group: { label: 0, host: null },
        input: { kind: "inputs", inputs: [] },
      },
      taskTimeoutMs: options.timeoutMs ?? null,
      memoryLimitBytes: (options.memory ?? 256) * mebibyte,
    });
    return task;
  }

  async until(count: number): Promise<NodeReport[]> {
    if (this.ends.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.push({ count, resolve });
      await promise;
    }
    return this.ends;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    clearInterval(this.#hold);
  }
}

function failureOf(report: NodeReport | undefined): { code: string; message: string } {
  assert.ok(report?.kind === "failed", `expected a failure, got ${JSON.stringify(report)}`);
  return report.failure;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that its new parent has not collected yet is dead.
    return true;
  } catch {
    return false;
  }
}

describe("a pool of workers", () => {
  test("starts a spare soon, but none while all slots are busy and the job has more for them", async (t) => {
    for (const [slots, tasks, processes] of [
      [2, 1, 2],
      [1, 1, 1],
      [2, 3, 2],
    ] as const) {
      await using bench = new Bench(slots);
      t.mock.timers.enable({ apis: ["setTimeout"] });
      for (let i = 0; i < tasks; i++) bench.add("hang");
      await new Promise((resolve) => setImmediate(resolve));
      t.mock.timers.tick(1_000);
      t.mock.timers.reset();
      assert.equal(bench.pool.pids().length, processes, `${tasks} tasks, ${slots} slots`);
    }
  });

  test("says that a task has begun only of one that runs for a while, and how long each ran", async () => {
    await using bench = new Bench();
    for (let i = 0; i < 20; i++) bench.add("ok");
    const long = bench.add("talk");
    const ends = await bench.until(21);
    const began = bench.reports.filter((report) => report.kind === "began");
    assert.deepEqual(
      began.map(({ task }) => task).filter((task) => task !== long),
      [],
    );
    const agoMs = began[0]?.agoMs ?? 0;
    assert.ok(agoMs >= 50 && agoMs < 1_000, `told after ${agoMs} ms`);
    const ran = ends.map((end) => (end.kind === "done" ? (end.ranMs ?? -1) : -1));
    const [least, most] = [Math.min(...ran), ran[long] ?? 0];
    assert.ok(most >= 150 && least >= 0 && least < 150, `they ran for ${ran.join(", ")} ms`);
  });

  test("runs the tasks of a job one after the other in one warm process", async () => {
    await using bench = new Bench();
    for (let i = 0; i < 50; i++) bench.add("ok");
    const ends = await bench.until(50);
    assert.deepEqual(new Set(ends.map((end) => end.kind)), new Set(["done"]));
    const files = new Set(ends.map((end) => (end.kind === "done" ? end.output.ref.file : "")));
    assert.equal(files.size, 1);
  });

  test("leaves no process behind when it is closed, not even one that was only asked to go", async () => {
    await using bench = new Bench();
    bench.add("lost");
    await bench.until(1);
    const ending = bench.pool.endJob("job");
    const pids = bench.pool.pids();
    assert.ok(pids.length > 0);
    await bench.pool.close();
    assert.deepEqual(pids.filter(alive), []);
    await ending;
  });

  test("uses all of its slots", async () => {
    await using bench = new Bench(2);
    for (let i = 0; i < 12; i++) bench.add("slow");
    const ends = await bench.until(12);
    assert.equal(new Set(ends.map((end) => (end.kind === "done" ? end.output.ref.file : ""))).size, 2);
  });

  test("passes on a failure that the worker reports", async () => {
    await using bench = new Bench();
    bench.add("fail");
    assert.equal(failureOf((await bench.until(1))[0]).code, "user-error");
  });

  for (const [act, code, words] of [
    ["exit0", "worker-exit", /exited with code 0/],
    ["exit1", "worker-exit", /exited with code 1[^]*the last words/],
    ["throws", "worker-exit", /nobody caught me/],
    ["abort", "worker-signal", /SIGABRT/],
    ["rss", "out-of-memory", /limit 256 MB/],
  ] as const) {
    test(`a task whose process ends by ${act} fails with ${code}; those behind it still run`, async () => {
      await using bench = new Bench();
      const bad = bench.add(act);
      bench.add("ok");
      bench.add("ok");
      const ends = await bench.until(3);
      const failure = failureOf(ends.find((end) => end.task === bad));
      assert.equal(failure.code, code);
      assert.match(failure.message, words);
      assert.equal(ends.filter(({ kind }) => kind === "done").length, 2);
    });
  }

  test("a task that fills the heap fails with out-of-memory and the limit", async () => {
    await using bench = new Bench();
    bench.add("heap", { memory: 64 });
    const failure = failureOf((await bench.until(1))[0]);
    assert.equal(failure.code, "out-of-memory");
    assert.match(failure.message, /limit 64 MB/);
  });

  test("a worker killed from outside loses its task, which is not the task's fault", async () => {
    await using bench = new Bench();
    bench.add("sigkill");
    bench.add("ok");
    const [first, second] = await bench.until(2);
    assert.equal(first?.kind, "lost");
    assert.equal(second?.kind, "done");
  });

  test("an endless loop is killed after the task's time-out, and the next task runs", async () => {
    await using bench = new Bench();
    const bad = bench.add("loop", { timeoutMs: 300 });
    bench.add("ok", { timeoutMs: 300 });
    const ends = await bench.until(2);
    assert.equal(failureOf(ends.find((end) => end.task === bad)).code, "timeout");
  });

  test("a flood on stdout is dropped and counted, and the task goes on", async () => {
    await using bench = new Bench();
    bench.add("flood");
    const [end] = await bench.until(1);
    assert.equal(end?.kind, "done");
    const warning = bench.reports.find(({ kind }) => kind === "message");
    assert.ok(warning?.kind === "message");
    assert.match(warning.text, /\d+ bytes of the worker's output were not kept/);
  });

  test("what a task started ends with its worker", async () => {
    await using bench = new Bench();
    bench.add("grandchild");
    await bench.until(1);
    const pid = Number(await readFile(join(root, "grandchild"), "utf8"));
    assert.ok(alive(pid));
    await bench.pool.endJob("job");
    // The kernel delivers SIGKILL at once; the dead child is collected by its adoptive parent.
    for (let i = 0; i < 200 && alive(pid) && !(await isZombie(pid)); i++)
      await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!alive(pid) || (await isZombie(pid)));
  });

  test("a worker speaks for its own tasks only", async () => {
    await using bench = new Bench();
    const task = bench.add("forge");
    const ends = await bench.until(1);
    assert.deepEqual(
      ends.map((end) => end.task),
      [task],
    );
  });

  test("the end of a job kills its workers within a second, also when they ignore SIGTERM", async () => {
    await using bench = new Bench(2);
    bench.add("deaf");
    bench.add("loop");
    while (bench.pool.running().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const begun = performance.now();
    await bench.pool.endJob("job");
    assert.ok(performance.now() - begun < 1_000);
    assert.deepEqual(bench.ends, []);
  });

  test("a cancelled attempt is not reported, whether it waits or runs; its neighbours run", async () => {
    await using bench = new Bench();
    const running = bench.add("hang");
    const waiting = bench.add("ok");
    const last = bench.add("ok");
    while (bench.pool.running().length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    bench.pool.cancel({ job: "job", stage: 0, task: waiting, attempt: 0 });
    bench.pool.cancel({ job: "job", stage: 0, task: running, attempt: 0 });
    const ends = await bench.until(1);
    assert.deepEqual(
      ends.map((end) => [end.kind, end.task]),
      [["done", last]],
    );
  });

  test("a job gets a slot although another one has all of them and more to do", async () => {
    await using bench = new Bench(2);
    for (let i = 0; i < 100; i++) bench.add("slow", { job: "greedy" });
    while (bench.ends.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    bench.add("ok", { job: "small" });
    while (!bench.ends.some((end) => end.job === "small")) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(bench.ends.length < 60);
  });

  test("workers that die before they are ready make their tasks fail after three starts, not in a busy loop", async () => {
    process.env["DISCO_TEST_NO_START"] = "1";
    try {
      await using bench = new Bench();
      bench.add("ok");
      const failure = failureOf((await bench.until(1))[0]);
      assert.equal(failure.code, "worker-start");
      assert.match(failure.message, /exited with code 3/);
    } finally {
      delete process.env["DISCO_TEST_NO_START"];
    }
  });

  test("hears of a worker only what it says of its own tasks, and only what a worker may say", async () => {
    await using bench = new Bench();
    const task = bench.add("impersonate");
    bench.add("ok");
    await bench.until(2);
    const id = { job: "job", stage: 0, task, attempt: 0 };
    const [message, end, next] = bench.reports;
    assert.deepEqual(message, { kind: "message", ...id, level: "info", text: 'READY: Job done\n{"host":"master"}' });
    assert.ok(end?.kind === "done" && end.task === task);
    assert.ok(next?.kind === "done" && next.task === task + 1);
    assert.equal(bench.reports.length, 3);
  });

  test("tells a worker of the nodes' data servers with its job, and again only when they have changed", async () => {
    await using bench = new Bench();
    const maps = [{ n2: "http://n2:1" }, { n2: "http://n2:1", n3: "http://n3:1" }] as const;
    for (const [i, map] of [maps[0], maps[0], maps[1], maps[1]].entries()) {
      bench.dataServers = map;
      bench.add("servers");
      await bench.until(i + 1);
    }
    const told = bench.reports.flatMap((report) => (report.kind === "message" ? [JSON.parse(report.text)] : []));
    assert.deepEqual(told, [[maps[0]], [maps[0]], [...maps], [...maps]]);
  });

  test("names all attempts that it has, begun or not", async () => {
    await using bench = new Bench(1);
    bench.add("ok");
    await bench.until(1);
    const tasks = [bench.add("hang"), bench.add("ok"), bench.add("ok", { job: "other" })];
    assert.deepEqual(
      bench.pool.attempts().map(({ job, task, attempt }) => [job, task, attempt]),
      [
        ["job", tasks[0], 0],
        ["job", tasks[1], 0],
        ["other", tasks[2], 0],
      ],
    );
  });

  test("that grows starts more workers at once", async () => {
    await using bench = new Bench(1);
    bench.add("hang");
    bench.add("ok");
    bench.pool.resize(2);
    const [end] = await bench.until(1);
    assert.deepEqual([end?.kind, end?.task], ["done", 1]);
  });

  test("that shrinks lets what runs finish, and runs the rest on fewer workers", async () => {
    await using bench = new Bench(3);
    for (let i = 0; i < 12; i++) bench.add("slow");
    bench.pool.resize(1);
    const ends = await bench.until(12);
    assert.deepEqual(new Set(ends.map(({ kind }) => kind)), new Set(["done"]));
    bench.add("hang");
    bench.add("hang");
    while (bench.pool.running().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(bench.pool.running().length, 1);
  });

  test("that has no slots any more finishes what has begun, and hands back the rest, also what comes later", async () => {
    await using bench = new Bench(1);
    const first = bench.add("slow");
    bench.add("slow");
    while (bench.pool.running().length === 0) await new Promise((resolve) => setImmediate(resolve));
    bench.pool.resize(0);
    bench.add("ok");
    const ends = await bench.until(3);
    assert.deepEqual(
      ends.map(({ kind, task }) => [kind, task]).sort(([, a], [, b]) => Number(a) - Number(b)),
      [
        ["done", first],
        ["lost", first + 1],
        ["lost", first + 2],
      ],
    );
    assert.equal(bench.pool.attempts().length, 0);
    bench.pool.resize(1);
    bench.add("ok");
    assert.equal((await bench.until(4)).at(-1)?.kind, "done");
  });
});

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat === "" || stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
}
