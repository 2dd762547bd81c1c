/** Real worker processes, spoken to as a node does. */
import assert from "node:assert/strict";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { JobData, StagePlan } from "../protocol/job-data.ts";
import { encodeJobPack } from "../protocol/jobpack.ts";
import type { FromWorker, ToWorker } from "../protocol/messages.ts";
import { encodeValue } from "../protocol/value.ts";
import { readIndexSync } from "../schemes/dir.ts";
import { openUrl } from "../schemes/open.ts";
import { readBlocks } from "./storage/read-blocks.ts";

const workerFile = fileURLToPath(new URL("./main.ts", import.meta.url));

function taskMessage(task: number, ...urls: string[]): ToWorker {
  const inputs = urls.map((url) => ({ label: 0, size: 0, replicas: [url], hosts: [null] }));
  const id = { job: "job@1:2:3", stage: 0, task, attempt: 0 };
  const group = { label: 0, host: null };
  return { kind: "task", task: { ...id, stageName: "map", group, input: { kind: "inputs", inputs } } };
}

class ForkedWorker {
  readonly dataDir: string;
  readonly child: ChildProcess;
  readonly binding: ToWorker;
  readonly messages: FromWorker[] = [];
  stderr = "";
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  #arrived: (() => void)[] = [];

  private constructor(dataDir: string, child: ChildProcess, binding: ToWorker) {
    this.dataDir = dataDir;
    this.binding = binding;
    this.child = child;
    child.on("message", (message: FromWorker) => {
      this.messages.push(message);
      for (const wake of this.#arrived.splice(0)) wake();
    });
    child.stderr?.on("data", (chunk) => (this.stderr += String(chunk)));
    this.ended = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal })));
  }

  /** A worker whose job has one map stage, of this source. */
  static async start(mapSource: string, memoryLimitBytes = 512 * 1024 * 1024): Promise<ForkedWorker> {
    const dataDir = await mkdtemp(join(tmpdir(), "disco-main-"));
    const jobDir = "localhost/00/job@1:2:3";
    mkdirSync(join(dataDir, jobDir, ".disco"), { recursive: true });
    const stage: StagePlan = {
      name: "map",
      grouping: "split",
      kind: "map",
      fn: 0,
      init: null,
      inputStream: [],
      outputStream: [],
      writer: null,
      combiner: null,
      partition: null,
      partitions: 1,
      sort: false,
      sortOutput: false,
      final: true,
      concurrency: 4,
    };
    const data: JobData = {
      version: 1,
      code: {
        portable: false,
        modules: [
          {
            url: `${pathToFileURL(join(dataDir, "job.ts")).href}?disco=1`,
            format: "module",
            source: `export const f0 = ${mapSource};`,
            insertions: [],
          },
        ],
        fns: [{ kind: "export", module: 0, name: "f0", display: "map" }],
      },
      stages: [stage],
      params: encodeValue({}),
      statusInterval: 0,
      seed: 0,
      memoryLimitBytes,
      requiredModules: [],
      argv: ["node", "/nowhere/job.ts", "an argument"],
    };
    const jobdict = { prefix: "job", owner: "me", worker: "", pipeline: [], inputs: [] };
    const packFile = join(dataDir, "pack");
    await writeFile(packFile, encodeJobPack({ jobdict, jobenvs: {}, files: new Map(), jobdata: encodeValue(data) }));
    const child = fork(workerFile, [], {
      execArgv: ["--conditions=disco-source", "--max-old-space-size=256"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    const binding: ToWorker = {
      kind: "job",
      job: "job@1:2:3",
      packFile,
      dataDir,
      jobDir,
      workDir: dataDir,
      host: "localhost",
      master: "disco://localhost",
      workerId: "w1",
      dataServers: {},
    };
    const worker = new ForkedWorker(dataDir, child, binding);
    worker.send(binding);
    return worker;
  }

  send(message: ToWorker): void {
    this.child.send(message);
  }

  task(task: number, ...urls: string[]): void {
    this.send(taskMessage(task, ...urls));
  }

  /** The first message of this kind (and of this task), now or later; fails when the process ends before. */
  async message<K extends FromWorker["kind"]>(kind: K, task?: number): Promise<Extract<FromWorker, { kind: K }>> {
    let isOver = false;
    const over = this.ended.then(() => {
      isOver = true;
    });
    for (;;) {
      const found = this.messages.find(
        (each) => each.kind === kind && (task === undefined || ("task" in each && each.task === task)),
      );
      if (found !== undefined) return found as Extract<FromWorker, { kind: K }>;
      assert.ok(!isOver, `the worker ended without "${kind}": ${this.stderr}`);
      await Promise.race([over, new Promise<void>((resolve) => this.#arrived.push(resolve))]);
    }
  }

  results(index: string | undefined): unknown[] {
    const context = { host: "localhost", dataDir: this.dataDir };
    return readIndexSync(index ?? "", context).flatMap(({ url }) => [...readBlocks(openUrl(url, context))]);
  }

  async close(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

function withWorker(
  map: string,
  use: (worker: ForkedWorker) => Promise<void>,
  memoryLimitBytes?: number,
): () => Promise<void> {
  return async () => {
    const worker = await ForkedWorker.start(map, memoryLimitBytes);
    try {
      await use(worker);
    } finally {
      await worker.close();
    }
  };
}

test(
  "a worker runs queued tasks in order, drops a cancelled one and exits when told",
  withWorker(`(line) => [[line, process.argv[2]]]`, async (worker) => {
    for (const number of [0, 1, 2]) worker.task(number, `raw://${number}`);
    worker.send({ kind: "cancel", id: { job: "job@1:2:3", stage: 0, task: 1, attempt: 0 } });
    const { output } = await worker.message("done", 2);
    assert.deepEqual(worker.results(output.index), [["2", "an argument"]]);
    assert.ok(output.peakRss > 1_000_000);
    const kinds = worker.messages
      .filter((each) => "task" in each && each.kind !== "progress")
      .map((each) => `${each.kind} ${"task" in each ? each.task : ""}`);
    const order = kinds.filter((each) => !each.endsWith("1"));
    assert.deepEqual(order, ["started 0", "done 0", "started 2", "done 2"]);
    worker.send({ kind: "exit" });
    assert.equal((await worker.ended).code, 0);
  }),
);

test(
  "what a task prints is told line by line, at its level, and a flood is dropped and counted",
  withWorker(
    `(line) => { console.log("a %d", 1, { b: 2 }); console.error("bad"); console.debug("fine"); process.stdout.write("half "); process.stdout.write("line\\n");
      if (line === "flood") for (let i = 0; i < 100000; i++) console.log(i); return []; }`,
    async (worker) => {
      worker.task(0, "raw://x");
      await worker.message("done", 0);
      const lines = worker.messages.flatMap((each) => (each.kind === "message" ? [`${each.level} ${each.text}`] : []));
      assert.deepEqual(lines, ["message a 1 { b: 2 }", "error bad", "debug fine", "message half line"]);
      worker.task(1, "raw://flood");
      await worker.message("done", 1);
      const told = worker.messages.flatMap((each) => (each.kind === "message" && each.task === 1 ? [each.text] : []));
      assert.ok(told.length < 1_000, `${told.length} lines`);
      const dropped = told
        .flatMap((text) => /^(\d+) messages dropped$/.exec(text)?.[1] ?? [])
        .reduce((sum, n) => sum + Number(n), 0);
      assert.ok(dropped > 90_000 && dropped + told.length >= 100_000, `${dropped} dropped`);
    },
  ),
);

test(
  "an error names the user's file, and the next task still runs",
  withWorker(
    `(line) => { if (line === "bad") throw new TypeError("broken " + line); return [[line, 1]]; }`,
    async (worker) => {
      worker.task(0, "raw://bad");
      worker.task(1, "raw://good");
      const { failure } = await worker.message("failed", 0);
      assert.deepEqual(
        [failure.code, failure.name, failure.message, failure.retry],
        ["user-error", "TypeError", "broken bad", "here"],
      );
      assert.match(failure.location?.file ?? "", /job\.ts$/);
      assert.equal(failure.url, "raw://bad");
      await worker.message("done", 1);
    },
  ),
);

test(
  "process.exit in a map is a failure that says where",
  withWorker(`(line) => process.exit(0)`, async (worker) => {
    worker.task(0, "raw://x");
    const { failure } = await worker.message("failed", 0);
    assert.equal(failure.code, "worker-exit");
    assert.match(failure.message, /process\.exit\(0\) was called/);
    assert.match(failure.location?.file ?? "", /job\.ts$/);
    assert.equal((await worker.ended).code, 0);
  }),
);

for (const [name, map, message] of [
  [
    "an uncaught exception",
    `(line) => { setImmediate(() => { throw new Error("stray"); }); return new Promise(() => {}); }`,
    /stray/,
  ],
  ["an unhandled rejection", `(line) => { Promise.reject(new Error("forgotten")); return []; }`, /forgotten/],
] as const) {
  test(
    `${name} fails the task that runs`,
    withWorker(map, async (worker) => {
      worker.task(0, "raw://x");
      const { failure } = await worker.message("failed", 0);
      assert.match(failure.message, message);
      assert.equal((await worker.ended).code, 1);
      assert.ok(!worker.messages.some((each) => each.kind === "done"));
    }),
  );
}

test(
  "a worker over its memory limit kills itself and says so",
  withWorker(
    `(line) => { const kept = []; for (;;) kept.push(Buffer.alloc(8_000_000, 1)); }`,
    async (worker) => {
      worker.task(0, "raw://x");
      assert.equal((await worker.ended).signal, "SIGKILL");
      assert.match(worker.stderr, /^disco: out of memory: \d+ bytes over the limit of \d+$/m);
    },
    200 * 1024 * 1024,
  ),
);

test(
  "progress is told while a synchronous map goes on, also when single records take long",
  withWorker(`(line) => { const end = Date.now() + 500; while (Date.now() < end); return []; }`, async (worker) => {
    worker.task(0, "raw://a\nb\nc");
    const { progress } = await worker.message("progress", 0);
    assert.ok(progress.recordsIn >= 1);
    await worker.message("done", 0);
    assert.ok(worker.messages.filter((each) => each.kind === "progress").length <= 3);
  }),
);

test(
  "a worker dies with its node, even in an endless loop",
  withWorker(`(line) => { for (;;); }`, async (worker) => {
    const script = `
      const { fork } = require("node:child_process");
      const child = fork(${JSON.stringify(workerFile)}, [], { detached: true, stdio: ["ignore", "ignore", "ignore", "ipc"] });
      for (const message of JSON.parse(process.env.MESSAGES)) child.send(message);
      child.on("message", ({ kind }) => {
        if (kind !== "started") return;
        console.log(child.pid);
        process.kill(process.pid, "SIGKILL");
      });`;
    const messages = [worker.binding, taskMessage(0, "raw://x")];
    const env = { ...process.env, MESSAGES: JSON.stringify(messages) };
    const parent = spawn(process.execPath, ["-e", script], { env, stdio: ["ignore", "pipe", "inherit"] });
    let pid = "";
    parent.stdout.on("data", (chunk) => (pid += String(chunk)));
    await new Promise((resolve) => parent.on("close", resolve));
    await gone(Number(pid));
  }),
);

/** Until no such process is there. */
async function gone(pid: number): Promise<void> {
  assert.ok(pid > 0);
  for (const end = Date.now() + 5_000; Date.now() < end; ) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.fail(`process ${pid} is still there`);
}
