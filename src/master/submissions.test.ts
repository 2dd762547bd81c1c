import assert from "node:assert/strict";
import { test } from "node:test";
import type { Coordinator } from "./coordinator.ts";
import type { JobFiles } from "./job-files.ts";
import { activeJobsMax, Submissions } from "./submissions.ts";

test("no more jobs are taken than may be active, and what was accepted under a key still is", async () => {
  const jobs = new Set(Array.from({ length: activeJobsMax - 1 }, (_, i) => i));
  const machine = { jobs, keys: new Map([["key", "job@1:2:3"]]), settings: { acceptNewJobs: true } };
  const nothing = (): undefined => undefined;
  const assured = (): Promise<void> => Promise.resolve();
  const unlessAway = <T>(work: Promise<T>): Promise<T> => work;
  const coordinator = { machine, assertAlive: nothing, assertRoom: nothing, assured, unlessAway };
  const submissions = new Submissions({
    coordinator: coordinator as unknown as Coordinator,
    files: {} as JobFiles,
    assertRunnable: () => undefined,
    ddfs: () => Promise.resolve(),
    readIndex: () => Promise.resolve([]),
    now: () => 0,
  });
  submissions.assertAccepting(undefined);
  jobs.add(activeJobsMax);
  assert.throws(() => submissions.assertAccepting(undefined), { code: "too-many-jobs", retry: "here" });
  await assert.rejects(submissions.submit(new Uint8Array(0), "new"), { code: "too-many-jobs" });
  submissions.assertAccepting("key");
  assert.equal(await submissions.submit(new Uint8Array(0), "key"), "job@1:2:3");
});
