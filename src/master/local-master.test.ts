import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobInfo } from "../client/master-api.ts";
import { infoOf, nothingRuns } from "../core/job/info.ts";
import { JobMachine } from "../core/job/machine.ts";
import { Cluster } from "../core/scheduler/cluster.ts";
import { jobSpec } from "../core/testing.ts";
import { JobSignals } from "./job-signals.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster } from "./local-master.ts";
import type { LocalMasterParts } from "./local-master-parts.ts";

test("whoever follows the progress of a job leaves no listener behind, however it ends", async () => {
  const signals = new JobSignals();
  const job = new JobMachine("active@1", jobSpec(), new Cluster(), 1);
  job.start();
  const active = infoOf(job, nothingRuns);
  const infos: Record<string, JobInfo> = { active, ended: { ...active, status: "ready" } };
  const machine = { info: (name: string) => infos[name], jobs: new Map([["active", job]]) };
  const coordinator = { machine, assertAlive: () => undefined, assured: () => Promise.resolve() };
  const parts = { coordinator, signals, progress: new LiveProgress() };
  const master = new LocalMaster(parts as unknown as LocalMasterParts);
  for await (const { status } of master.progress("ended")) assert.equal(status, "ready");
  for await (const _info of master.progress("active")) break;
  await assert.rejects(master.progress("unknown").next(), { code: "unknown-job" });
  assert.equal(signals.waiting, 0);
});

test("a job that found the disk full is told of when its files are gone, and any other death at once", async () => {
  const { promise: gone, resolve: drop } = Promise.withResolvers<void>();
  const settled: string[] = [];
  const deaths: Record<string, string> = { full: "disk-full", wrong: "user-error" };
  const coordinator = {
    machine: {
      jobs: new Map(),
      result: (name: string) => ({ name, status: "dead", results: [], reason: "", failure: { code: deaths[name] } }),
    },
    assertAlive: () => undefined,
    assured: () => Promise.resolve(),
    settled: async (name: string, patienceMs: number) => {
      assert.ok(patienceMs > 0 && patienceMs < 10_000);
      await gone;
      settled.push(name);
    },
  };
  const master = new LocalMaster({ coordinator, signals: new JobSignals() } as unknown as LocalMasterParts);
  const told = master.results(["full", "wrong"], 0);
  assert.equal((await master.results(["wrong"], 0))[0]?.failure?.code, "user-error");
  assert.deepEqual(settled, []);
  drop();
  assert.equal((await told).length, 2);
  assert.deepEqual(settled, ["full"]);
});
