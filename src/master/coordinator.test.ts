import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { toJsonBytes } from "../bus/json.ts";
import { MemoryBus } from "../bus/memory.ts";
import type { TaskOutput } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import type { StoredRecord } from "../journal/journal.ts";
import { MemoryStore, openMemoryJournal } from "../journal/memory.ts";
import { decodeJobPack, jobSpecOf } from "../protocol/jobpack.ts";
import type { Assignment, AttemptId } from "../protocol/messages.ts";
import { Coordinator } from "./coordinator.ts";
import { EventLogs } from "./event-log.ts";
import { packOf } from "./fixtures/packs.ts";
import { JobFiles } from "./job-files.ts";
import { JobSignals } from "./job-signals.ts";
import { KeepAlive } from "./keep-alive.ts";
import { LiveProgress } from "./live-progress.ts";
import { NodeLink } from "./node-link.ts";
import { serveNodes } from "./node-subjects.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-coordinator-"));
after(() => rm(dataDir, { recursive: true, force: true }));

class FailingStore extends MemoryStore {
  full = false;

  override insert(record: StoredRecord): boolean {
    if (this.full) throw new DiscoError("no space left on device", { code: "disk-full" });
    return super.insert(record);
  }
}

class CountingKeepAlive extends KeepAlive {
  held = 0;

  override acquire(): void {
    this.held++;
    super.acquire();
  }

  override release(): void {
    this.held--;
    super.release();
  }
}

/** A coordinator with a node that only notes what it is told. */
class Bench {
  readonly store = new FailingStore();
  readonly bus = new MemoryBus();
  readonly signals = new JobSignals();
  readonly logs = new EventLogs(dataDir);
  readonly progress = new LiveProgress();
  readonly keepAlive = new CountingKeepAlive();
  readonly coordinator: Coordinator;
  readonly assigned: Assignment[] = [];
  readonly told: string[] = [];
  /** So many assignments are refused. */
  refusals = 0;
  #news: (() => void) | null = null;

  constructor() {
    const files = new JobFiles(dataDir);
    this.coordinator = new Coordinator({
      journal: openMemoryJournal(this.store),
      writer: "test",
      nodes: new NodeLink(this.bus),
      logs: this.logs,
      files,
      signals: this.signals,
      progress: this.progress,
      keepAlive: this.keepAlive,
      now: () => Date.now(),
      takeover: "interrupt",
      nodeLost: () => this.join(),
    });
    serveNodes(this.bus, { instance: "m", coordinator: this.coordinator, files });
    this.bus.serve("node.h.assign", (bytes) => {
      if (this.refusals > 0) {
        this.refusals--;
        throw new Error("not now");
      }
      const { assignments } = JSON.parse(Buffer.from(bytes).toString()) as { assignments: Assignment[] };
      this.assigned.push(...assignments);
      this.#news?.();
      return undefined;
    });
    for (const what of ["cancel", "end-job", "stop-job", "drop-files"]) {
      this.bus.serve(`node.h.${what}`, () => {
        this.told.push(what);
        return undefined;
      });
    }
    this.join();
  }

  join(): void {
    void this.coordinator.join({ host: "h", incarnation: "i", slots: 2, queueDepth: 4, labels: {}, attempts: [] });
  }

  submit(tasks: number, retries = 3): string {
    const spec = jobSpecOf(decodeJobPack(packOf(["map"], { tasks, retries })).jobdict);
    assert.ok(spec !== undefined);
    const job = this.coordinator.machine.nextName("job", Date.now());
    void this.coordinator.submit(job, spec, undefined);
    return job;
  }

  async assignments(count: number): Promise<Assignment[]> {
    while (this.assigned.length < count) await new Promise<void>((resolve) => (this.#news = resolve));
    return this.assigned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator.close();
  }

  status(job: string): string {
    return this.coordinator.machine.result(job).status;
  }
}

const output: TaskOutput = {
  ref: { host: "h", file: "f", at: 0, length: 1, digest: "d" },
  labels: [{ label: 0, bytes: 1, records: 1 }],
  recordsIn: 1,
  recordsOut: 1,
  bytesIn: 1,
  peakRss: 1,
};
const idOf = ({ job, stage, task, attempt }: AttemptId): AttemptId => ({ job, stage, task, attempt });

describe("the coordinator", () => {
  test("gives the tasks of a node that refused them to the node again when it has joined again", async () => {
    await using bench = new Bench();
    bench.refusals = 1;
    const job = bench.submit(1);
    const [first] = await bench.assignments(1);
    assert.ok(first !== undefined);
    assert.equal(first.attempt, 1, "the refused attempt is over");
    void bench.coordinator.report("h", [{ kind: "done", ...idOf(first), output }]);
    assert.equal(bench.status(job), "ready");
  });

  test("assigns, takes reports, and ends the job once, however often a report comes", async () => {
    await using bench = new Bench();
    const job = bench.submit(2);
    const [first, second] = await bench.assignments(2);
    assert.ok(first !== undefined && second !== undefined);
    const done = [first, second].map((one) => ({ kind: "done", ...idOf(one), output }) as const);
    void bench.coordinator.report("h", done.slice(0, 1));
    void bench.coordinator.report("h", done.slice(0, 1));
    assert.equal(bench.status(job), "active");
    void bench.coordinator.report("h", done);
    void bench.coordinator.report("h", done);
    assert.equal(bench.status(job), "ready");
    await bench.coordinator.settled(job);
    assert.deepEqual(bench.told.sort(), ["drop-files", "end-job"]);
    assert.equal(bench.coordinator.machine.info(job)?.stages[0]?.recordsIn, 2);
  });

  test("a report of a job that is not known, or not any more, changes nothing", async () => {
    await using bench = new Bench();
    const id = { job: "job@1:2:3", stage: 0, task: 0, attempt: 0 };
    void bench.coordinator.report("h", [
      { kind: "done", ...id, output },
      { kind: "progress", ...id, progress: { recordsIn: 1, bytesIn: 1, recordsOut: 1 } },
    ]);
    void bench.coordinator.report("h", [{ kind: "message", ...id, level: "message", text: "hello" }]);
    assert.equal(bench.status("job@1:2:3"), "unknown_job");
  });

  test("a node that does not answer is lost; its attempts run elsewhere", async () => {
    await using bench = new Bench();
    bench.coordinator.record([{ kind: "node-lost", at: Date.now(), host: "h", reason: "test" }]);
    void bench.coordinator.join({ host: "deaf", incarnation: "x", slots: 1, queueDepth: 1, labels: {}, attempts: [] });
    bench.submit(1);
    void bench.coordinator.join({ host: "h", incarnation: "i", slots: 2, queueDepth: 4, labels: {}, attempts: [] });
    const [only] = await bench.assignments(1);
    assert.deepEqual([only?.task, only?.attempt], [0, 1]);
    assert.equal(bench.coordinator.machine.cluster.node("deaf")?.connected, false);
  });

  test("a lost attempt runs again; a failure that may not be retried kills the job", async () => {
    await using bench = new Bench();
    const job = bench.submit(1);
    const [first] = await bench.assignments(1);
    assert.ok(first !== undefined);
    void bench.coordinator.report("h", [{ kind: "lost", ...idOf(first), reason: "its worker was killed" }]);
    const [, second] = await bench.assignments(2);
    assert.ok(second !== undefined && second.attempt === 1);
    const failure = { code: "bad-value", name: "DiscoError", message: "no", retry: "never" } as const;
    void bench.coordinator.report("h", [{ kind: "failed", ...idOf(second), failure }]);
    assert.equal(bench.status(job), "dead");
    assert.equal(bench.coordinator.machine.result(job).failure?.code, "bad-value");
  });

  test("a journal that is full stops the engine: who waits is woken, nobody is told what is not recorded", async () => {
    await using bench = new Bench();
    const job = bench.submit(1);
    const [first] = await bench.assignments(1);
    assert.ok(first !== undefined);
    const woken = bench.signals.oneEnds([job], 60_000);
    bench.store.full = true;
    const report = toJsonBytes({ host: "h", reports: [{ kind: "done", ...idOf(first), output }] });
    await assert.rejects(bench.bus.request("master.m.report.h", report, 1_000), { code: "disk-full" });
    await woken;
    assert.throws(() => bench.coordinator.assertAlive(), { code: "disk-full" });
    assert.throws(() => bench.submit(1), { code: "disk-full" });
    assert.deepEqual(bench.told, []);
  });

  test("a job that comes when the engine is closed or broken does not hold the process", async () => {
    const closed = new Bench();
    await closed.coordinator.close();
    assert.throws(() => closed.submit(1), { code: "closed" });
    assert.equal(closed.keepAlive.held, 0);
    await using full = new Bench();
    full.store.full = true;
    assert.throws(() => full.submit(1), { code: "disk-full" });
    assert.throws(() => full.submit(1), { code: "disk-full" });
    assert.equal(full.keepAlive.held, 0);
  });

  test("progress that comes when the job has ended does not count", async () => {
    await using bench = new Bench();
    const job = bench.submit(1);
    const [first] = await bench.assignments(1);
    assert.ok(first !== undefined);
    bench.coordinator.record([{ kind: "job-killed", at: Date.now(), job }]);
    const progress = { recordsIn: 7, bytesIn: 7, recordsOut: 7 };
    void bench.coordinator.report("h", [{ kind: "progress", ...idOf(first), progress }]);
    const info = bench.coordinator.machine.info(job);
    assert.ok(info !== undefined);
    assert.deepEqual(bench.progress.addTo(info), info);
  });

  test("what an impossible event leaves of the state is not kept in the journal", async () => {
    const bench = new Bench();
    const nobody = { job: "nobody@1:2:3", stage: 0, task: 0, attempt: 0, host: "h" };
    const impossible = { kind: "tasks-assigned", at: 1, tasks: [nobody] } as const;
    assert.throws(() => bench.coordinator.record([impossible]), { code: "impossible" });
    await bench.coordinator.close();
    assert.equal(bench.store.snapshot(), null);
  });

  test("a task that talks too much is heard in part, and how much was dropped is said", async () => {
    await using bench = new Bench();
    const job = bench.submit(1);
    const [first] = await bench.assignments(1);
    assert.ok(first !== undefined);
    const line = { kind: "message", ...idOf(first), level: "message", text: "again" } as const;
    void bench.coordinator.report(
      "h",
      Array.from({ length: 5_000 }, () => line),
    );
    void bench.coordinator.report("h", [{ kind: "done", ...idOf(first), output }]);
    let said = 0;
    let dropped = "";
    for await (const [, { level, message }] of bench.logs.read(job, 0)) {
      if (level === "message") said++;
      if (level === "warning") dropped = message;
    }
    assert.ok(said >= 500 && said < 600);
    assert.equal(dropped, `${5_000 - said} messages came too fast and were dropped`);
  });
});
