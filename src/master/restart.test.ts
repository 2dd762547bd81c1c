/**
 * What is left when an engine ends, and what happens when two of them share a root. Real processes.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { MasterApi } from "../client/master-api.ts";
import { openEmbedded } from "./embedded.ts";
import { packOf, scriptedMemoryBytes, scriptedWorker } from "./fixtures/packs.ts";

const script = fileURLToPath(new URL("./fixtures/script.ts", import.meta.url));
const temporary = await mkdtemp(join(tmpdir(), "disco-restart-"));
after(() => rm(temporary, { recursive: true, force: true }));
let roots = 0;
const newRoot = (): string => join(temporary, String(roots++));
const open = (root: string): Promise<MasterApi> =>
  openEmbedded({ root, slots: 2, workerScript: scriptedWorker, memoryLimitBytes: scriptedMemoryBytes });

function start(root: string, act: string): { child: ReturnType<typeof spawn>; output: () => string } {
  const child = spawn(process.execPath, ["--conditions=disco-source", script, root, act], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += String(chunk);
  });
  return { child, output: () => output.trim() };
}

test("a job that has ended is known to the next engine on the root", async () => {
  const root = newRoot();
  const first = await open(root);
  const job = await first.submit(packOf(["ok", "ok-2"], { tasks: 3 }));
  const before = await first.results([job], 30_000);
  await first.close();
  const second = await open(root);
  assert.deepEqual(await second.results([job], 0), before);
  assert.equal((await second.jobInfo(job)).stages[0]?.done, 3);
  const events = [];
  for await (const event of second.events(job, 0)) events.push(event);
  assert.ok(events.length > 5);
  await second.purge(job);
  await second.close();
});

test("two engines on one root run side by side", async () => {
  const root = newRoot();
  const [first, second] = [await open(root), await open(root)];
  const jobs = await Promise.all([
    first.submit(packOf(["slow", "ok"], { tasks: 3 })),
    second.submit(packOf(["slow", "ok"], { tasks: 3 })),
  ]);
  assert.notEqual(jobs[0], jobs[1]);
  assert.equal((await first.results([jobs[0]], 30_000))[0]?.status, "ready");
  assert.equal((await second.results([jobs[1]], 30_000))[0]?.status, "ready");
  assert.equal((await first.jobList()).length, 1);
  await Promise.all([first.close(), second.close()]);
});

test("an engine that is killed in the middle leaves a root that tells what was finished", async () => {
  const root = newRoot();
  const { child, output } = start(root, "die");
  while (output() === "") await once(child.stdout as NodeJS.ReadableStream, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  const master = await open(root);
  const [job] = await master.jobList();
  assert.equal(job?.name, output());
  const info = await master.jobInfo(output());
  assert.equal(info.status, "dead");
  assert.match(info.reason ?? "", /the engine stopped: 3 of 4 tasks had finished/);
  assert.deepEqual(
    info.stages.map(({ done, tasks }) => [done, tasks]),
    [
      [3, 3],
      [0, 1],
    ],
  );
  assert.equal((await master.results([await master.submit(packOf(["ok"]))], 30_000))[0]?.status, "ready");
  await master.close();
});

test("a script that awaits its job and forgets to close ends after the job", async () => {
  const { child, output } = start(newRoot(), "forget");
  const [code] = await once(child, "close");
  assert.deepEqual([code, output()], [0, "ready"]);
});

test("a script that opens an engine and does nothing ends", async () => {
  const { child } = start(newRoot(), "idle");
  assert.equal((await once(child, "close"))[0], 0);
});
