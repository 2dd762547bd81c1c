import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobInfo, StageInfo } from "../../client/master-api.ts";
import type { Look } from "../progress/look.ts";
import { formatJobPage } from "./job-page.ts";
import { reportJob, summarizeJob } from "./job-report.ts";

const plain: Look = { unicode: false, paint: (_, text) => text };
const stage: StageInfo = {
  stage: "map",
  tasks: 2,
  waiting: 0,
  queued: 0,
  running: 0,
  done: 2,
  failed: 0,
  recordsIn: 0,
  recordsOut: 3,
  bytesIn: 0,
  bytesTotal: 0,
};
const job: JobInfo = {
  name: "words@1:2:3",
  status: "ready",
  owner: "me",
  submittedAt: 0,
  endedAt: 2_000,
  stages: [stage, { ...stage, stage: "reduce", tasks: 1, done: 1, recordsOut: 1 }],
  inputs: [],
  results: ["dir://h/x"],
  hosts: [],
  waits: [],
  reason: null,
  failure: null,
  peakRss: 0,
};

test("a job that brings its worker along shows it, and outputs where others show records", () => {
  const lines = formatJobPage({ ...job, worker: "lib/worker.py" }, [], 80, plain);
  const text = lines.join("\n");
  assert.match(text, /^ {2}worker lib\/worker\.py, which the job brings along$/m);
  assert.match(text, /^ {2}2\.0 s, 1 output$/m);
  assert.match(text, /^ +3 outputs$/m);
  assert.match(text, /^ +1 output$/m);
  assert.match(text, /cat words@1:2:3 {4}prints the outputs as they are$/m);
  assert.doesNotMatch(text, /record/);
  assert.equal(reportJob({ ...job, worker: "lib/worker.py" }).worker, "lib/worker.py");
});

test("an active job whose attempts fail says how many, and where the reasons are", () => {
  const failing: JobInfo = { ...job, status: "active", endedAt: null, stages: [{ ...stage, running: 0, failed: 24 }] };
  const text = formatJobPage(failing, [], 80, plain).join("\n");
  assert.match(text, /24 failed attempts/);
  assert.match(text, /events words@1:2:3 {4}says why attempts failed$/m);
  assert.doesNotMatch(formatJobPage(job, [], 80, plain).join("\n"), /failed/);
});

test("a job of this package shows records", () => {
  const text = formatJobPage(job, [], 80, plain).join("\n");
  assert.match(text, /0 records in, 3 out/);
  assert.match(text, /prints the records$/m);
  assert.doesNotMatch(text, /worker/);
  assert.equal(summarizeJob(job), "2.0 s, 1 result");
});
