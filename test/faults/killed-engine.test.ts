/** The process with the engine is killed in the middle of a job. Its workers go with it; the next engine tells what was finished. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Disco, JobError, resultIterator } from "../../src/index.ts";
import { runDisco } from "../run-disco.ts";

let root = "";
let names: { done: string; endless: string } = { done: "", endless: "" };
let workerPid = 0;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "disco-killed-"));
  const script = join(import.meta.dirname, "fixtures", "endless-job.ts");
  const engine = spawn(process.execPath, ["--conditions=disco-source", script, root], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [done = "", endless = "", pid = ""] = (await firstLine(engine)).split(" ");
  names = { done, endless };
  workerPid = Number(pid);
  engine.kill("SIGKILL");
  await once(engine, "close");
});
after(() => rm(root, { recursive: true, force: true }));

async function firstLine(child: ChildProcess): Promise<string> {
  let output = "";
  for await (const chunk of child.stdout as NodeJS.ReadableStream) {
    output += String(chunk);
    if (output.includes("\n")) return output.slice(0, output.indexOf("\n"));
  }
  assert.fail(`the engine ended: ${output}`);
}

describe("an engine that was killed", { timeout: 60_000 }, () => {
  test("takes its workers along, also one that hangs", async () => {
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      try {
        process.kill(workerPid, 0);
      } catch {
        return;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail(`worker ${workerPid} is still there`);
  });

  test("leaves results to be read, and its unfinished job told by disco jobs and disco job", async () => {
    const jobs = await runDisco(["jobs"], { root });
    assert.equal(jobs.code, 0, jobs.stderr);
    assert.match(jobs.stdout, new RegExp(`^${names.endless} +dead`, "m"));
    assert.match(jobs.stdout, new RegExp(`^${names.done} +ready`, "m"));
    const job = await runDisco(["job", names.endless], { root });
    assert.equal(job.code, 0, job.stderr);
    assert.match(job.stdout, /reason: the engine stopped: 2 of 3 tasks had finished \(1 of 2 stages had not begun\)/);
    assert.match(job.stdout, /map .* 2\/3 tasks/);
    assert.equal((await runDisco(["cat", names.done], { root })).stdout, "first\t1\n");
  });

  test("is followed by one that tells the same, frees the disk and runs jobs", async () => {
    await using disco = new Disco(undefined, { root, workers: 1 });
    assert.deepEqual(
      (await disco.joblist()).map(({ name, status }) => [name, status]),
      [
        [names.endless, "dead"],
        [names.done, "ready"],
      ],
    );
    const info = await disco.jobinfo(names.endless);
    assert.equal(info.status, "dead");
    assert.deepEqual(
      info.stages.map(({ stage, tasks, done }) => [stage, tasks, done]),
      [
        ["map", 3, 2],
        ["reduce", 0, 0],
      ],
    );
    await assert.rejects(disco.wait(names.endless), (error) => {
      assert.ok(error instanceof JobError);
      assert.match(error.message, /the engine stopped: 2 of 3 tasks had finished/);
      return true;
    });
    assert.deepEqual(await resultIterator(await disco.wait(names.done)).toArray(), [["first", 1]]);
    const job = await disco.newJob("next", { input: ["raw://x"], map: (line) => [[line, 2] as const] });
    assert.deepEqual(await resultIterator(job).toArray(), [["x", 2]]);
  });

  test("leaves no segments of the dead job behind, once there was another engine", () => {
    assert.deepEqual(globSync(join(root, "data/localhost/*", names.endless, ".disco/*.seg")), []);
  });
});
