/** What a master says of tasks that its node has taken, and whose workers are busy. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { AttemptInfo, MasterApi, NodeInfo, StageInfo } from "../client/master-api.ts";
import { openEmbedded } from "./embedded.ts";
import { packOf, scriptedMemoryBytes, scriptedWorker } from "./fixtures/packs.ts";

const temporary = await mkdtemp(join(tmpdir(), "disco-queued-"));
after(() => rm(temporary, { recursive: true, force: true }));

const slots = 2;
const talkMs = 200;

test("tasks in the queue of a node are queued, its state and the job's agree, and a task took as long as it ran", async () => {
  const options = { slots, workerScript: scriptedWorker, memoryLimitBytes: scriptedMemoryBytes };
  const master: MasterApi = await openEmbedded({ root: join(temporary, "a"), ...options });
  try {
    const job = await master.submit(packOf(["talk"], { tasks: 8 }));
    let seen = 0;
    for await (const { stages, hosts } of master.progress(job, { intervalMs: 1 })) {
      const [{ tasks, waiting, queued, running, done }] = stages as [StageInfo];
      assert.equal(waiting + queued + running + done, tasks);
      assert.ok(
        running <= slots && hosts.length === running,
        `${running} run on ${slots} slots, on ${hosts.join(", ")}`,
      );
      const { tasks: runningTasks, total } = await master.tasks(job, { status: "running" });
      const begun = runningTasks.flatMap(({ attempts }) => attempts).filter(({ startedAt }) => startedAt !== null);
      if (begun.length < slots) continue;
      seen++;
      assert.equal(total, slots);
      for (const { startedAt } of begun as (AttemptInfo & { startedAt: number })[]) {
        const age = Date.now() - startedAt;
        assert.ok(age >= 0 && age < talkMs * 5, `it runs for ${age} ms`);
      }
      const [node] = (await master.nodeInfo()) as [NodeInfo];
      const state = await master.jobInfo(job);
      assert.equal(node.tasks.length, state.hosts.length);
    }
    assert.ok(seen > 0);
    const took: number[] = [];
    for await (const [, { message }] of master.events(job, 0)) {
      const ms = /Task finished in 0:00:(\d\d)\.(\d{3})$/.exec(message);
      if (ms !== null) took.push(Number(ms[1]) * 1000 + Number(ms[2]));
    }
    assert.equal(took.length, 8);
    // The last of them was in the queue while six others ran, two at a time.
    const median = took.sort((a, b) => a - b)[4] as number;
    assert.ok(median >= talkMs - 20 && median < talkMs * 3, `they took ${took.join(", ")} ms`);
  } finally {
    await master.close();
  }
});
