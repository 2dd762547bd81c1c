/** Functions that do to their process, and to its ways out, what no function should. The engine stays, and runs the next job. */
import assert from "node:assert/strict";
import { writeSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { resultIterator, task } from "../../src/index.ts";
import { deathOf, type Engine, openEngine } from "./engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine({ workers: 1 });
});
after(() => engine[Symbol.asyncDispose]());

async function nextJobRuns(): Promise<void> {
  const job = await engine.disco.newJob("next", { input: ["raw://x"], map: (line) => [[line, 1] as const] });
  assert.deepEqual(await resultIterator(job).toArray(), [["x", 1]]);
}

/** The descriptor of the channel to the node: the first after stdin, stdout and stderr. */
const channel = 3;

const floodBytes = 200 * 2 ** 20;

/** Bytes written; a full pipe takes none. */
function tryToWrite(descriptor: number, chunk: string): number {
  try {
    return writeSync(descriptor, chunk);
  } catch {
    return 0;
  }
}

describe("a job whose function", { timeout: 120_000 }, () => {
  for (const [what, garbage] of [
    ["text", "this is no message\n"],
    ["half a message", '{"kind":"done","job'],
    ["a message with a line end in it", '{"kind":"done",\n"job":"x"}\n'],
    ["bytes", "\0\0\0\x7f\xff\xff\xff\xff\n"],
  ] as const) {
    test(`writes ${what} into the channel of its worker fails with worker-garbage`, async () => {
      const job = await engine.disco.newJob("garbage", {
        input: ["raw://x"],
        params: { channel, garbage },
        map(line, params) {
          writeSync(params.channel, params.garbage);
          return [[line, 1] as const];
        },
        retries: 1,
      });
      const error = await deathOf(job);
      assert.equal(error.code, "worker-garbage", error.message);
      assert.match(error.hint ?? "", /file descriptors/);
      await nextJobRuns();
    });
  }

  test("sends what looks like a report, and is none, fails with worker-garbage", async () => {
    const job = await engine.disco.newJob("forged", {
      input: ["raw://x"],
      map(line) {
        process.send?.({ kind: "done", job: task.jobName, stage: 0, task: 0, attempt: task.attempt, output: {} });
        return [[line, 1] as const];
      },
      retries: 1,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "worker-garbage", error.message);
    assert.match(error.message, /a malformed "done"/);
    await nextJobRuns();
  });

  test("sends reports of other tasks, or messages of its own, changes nothing", async () => {
    const job = await engine.disco.newJob("foreign", {
      input: ["raw://x"],
      map(line) {
        for (const message of [
          "hello",
          { kind: "mine" },
          { kind: "started", job: "other@1:2:3", stage: 0, task: 0, attempt: 0 },
        ])
          process.send?.(message);
        return [[line, 1] as const];
      },
    });
    assert.deepEqual(await resultIterator(job).toArray(), [["x", 1]]);
  });

  test("cuts the channel fails, as nobody can hear of its success", async () => {
    const job = await engine.disco.newJob("deaf", {
      input: ["raw://x"],
      map(line) {
        process.disconnect();
        return [[line, 1] as const];
      },
    });
    assert.equal((await deathOf(job)).code, "worker-exit");
    await nextJobRuns();
  });

  test("floods stdout and stderr for ever can be killed, and fills no memory", async () => {
    const job = await engine.disco.newJob("flood", {
      input: ["raw://x"],
      map: (): [string, number][] => {
        const chunk = "x".repeat(65_535).concat("\n");
        let written = 0;
        for (let told = false; ; ) {
          for (const descriptor of [1, 2]) written += tryToWrite(descriptor, chunk);
          if (written > floodBytes && !told) console.log("flooded");
          told = written > floodBytes;
        }
      },
    });
    const before = process.memoryUsage.rss();
    for await (const [, { message }] of job.events()) {
      if (message === "flooded" || message.endsWith(" flooded")) break;
    }
    const begun = performance.now();
    await job.kill();
    await assert.rejects(job.wait({ timeout: 20 }), /kill/i);
    assert.ok(performance.now() - begun < 5_000, "the engine hears while it is flooded");
    assert.ok(process.memoryUsage.rss() - before < floodBytes / 2);
    await nextJobRuns();
  });

  test("will not hear of SIGTERM is killed by SIGKILL after its time and a grace", async () => {
    const job = await engine.disco.newJob("stubborn", {
      input: ["raw://x"],
      async map(): Promise<[string, number][]> {
        process.on("SIGTERM", () => console.log("not me"));
        await new Promise(() => {});
        return [];
      },
      taskTimeout: 0.5,
      retries: 0,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "timeout");
    await nextJobRuns();
  });
});
