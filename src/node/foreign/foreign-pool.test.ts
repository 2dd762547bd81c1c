import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { NodeReport, WorkerTask } from "../../protocol/messages.ts";
import type { JobHome } from "../job-home.ts";
import { WorkerPool } from "../worker-pool.ts";
import { ShellBench } from "./shell-worker.test-kit.ts";

/** A few milliseconds, on a machine that is not busy with other tests. */
const killedWithinMs = 3_000;

let bench: ShellBench;
let pool: WorkerPool;
let reports: NodeReport[];
let reported: () => void;
/** By which the pool's clock is ahead. */
let leapMs: number;
beforeEach(() => {
  bench = new ShellBench();
  reports = [];
  leapMs = 0;
  pool = new WorkerPool({
    slots: 2,
    host: "a",
    master: () => "disco://127.0.0.1:1",
    dataDir: bench.dataDir,
    incarnation: "i",
    memoryLimitBytes: 1e9,
    now: () => performance.now() + leapMs,
    report: (report) => {
      reports.push(report);
      reported?.();
    },
  });
});
afterEach(async () => {
  await pool.close();
  await bench.close();
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => (reported = resolve));
}

function enqueue(lines: string, tasks: readonly WorkerTask[], taskTimeoutMs: number | null = null): JobHome {
  const home = bench.jobHome(lines);
  for (const task of tasks) pool.enqueue({ task, home, taskTimeoutMs, memoryLimitBytes: 1e9 });
  return home;
}

/** How attempts ended, in order. */
const ends = (): string[] => reports.map(({ kind }) => kind).filter((kind) => kind !== "message" && kind !== "began");

test("the pool runs foreign workers in all its slots, one task each at a time, and starts none of its own for them", async () => {
  // Each waits until the other is there: with a task behind another they would wait for ever.
  enqueue(`: > "here-$$"; while [ "$(ls here-* | wc -l)" -lt 2 ]; do sleep 0.01; done; stop DONE '""'`, [
    bench.task(),
    bench.task(),
  ]);
  await until(() => ends().filter((kind) => kind === "done").length === 2);
  assert.deepEqual(pool.pids(), []);
});

test("a foreign worker that makes no progress is killed after the task's time-out, and the next task runs", async () => {
  enqueue(`[ -e once ] && stop DONE '""'; : > once; ask MSG '"at work"'; sleep 60`, [bench.task()], 150);
  await until(() => ends().length === 1);
  const [failed] = reports.filter(({ kind }) => kind === "failed");
  assert.ok(failed?.kind === "failed" && failed.failure.code === "timeout", JSON.stringify(reports));
  enqueue(`stop DONE '""'`, [bench.task()]);
  await until(() => ends().length === 2);
  assert.equal(ends()[1], "done");
});

test("waiting for inputs that are being made is no lack of progress", async () => {
  const task = bench.task({ kind: "stage", stage: 0, version: 1, open: true });
  enqueue(`ask MSG '"at work"'; ask INPUT '""'; stop DONE '""'`, [task], 60_000);
  await until(() => reports.some(({ kind }) => kind === "message"));
  leapMs = 3_600_000;
  // The next looks at time-outs.
  await new Promise((resolve) => setTimeout(resolve, 300));
  pool.inputsArrived(task, bench.manifest(1, [], false));
  await until(() => ends().length === 1);
  assert.deepEqual(ends(), ["done"]);
});

test("a cancelled attempt of a foreign worker is killed and not reported, and its job's end waits for nothing", async () => {
  const [running, other] = [bench.task(), bench.task()];
  enqueue(`ask MSG '"at work"'; sleep 60`, [running, other]);
  await until(() => reports.filter(({ kind }) => kind === "message").length === 2);
  pool.cancel(running);
  const from = performance.now();
  await pool.endJob("job");
  assert.ok(performance.now() - from < killedWithinMs);
  assert.deepEqual(ends(), []);
  assert.deepEqual(pool.attempts(), []);
});
