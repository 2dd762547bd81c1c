import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobInfo } from "../client/master-api.ts";
import { infoOf, nothingRuns } from "../core/job/info.ts";
import { JobMachine } from "../core/job/machine.ts";
import { Cluster } from "../core/scheduler/cluster.ts";
import { jobSpec } from "../core/testing.ts";
import { JobSignals } from "./job-signals.ts";
import { LiveProgress } from "./live-progress.ts";
import { LocalMaster, type LocalMasterParts } from "./local-master.ts";

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
