/**
 * Functions that take their process down, in every way that a process can go. The error names the cause and, where the language
 * lets us see it, the user's line; another job that runs meanwhile on the same engine is none the worse.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Job, type JobError, resultIterator } from "../../src/index.ts";
import { deathOf, type Engine, openEngine } from "./engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine({ workers: 2 });
});
after(() => engine[Symbol.asyncDispose]());

type Map = (line: string) => [string, number][] | Promise<[string, number][]>;

/** Starts a job with this map, and one beside it that must come through. */
async function besideAnother(name: string, map: Map, options: object = {}): Promise<{ job: Job; error: JobError }> {
  const { disco } = engine;
  const job = await disco.newJob(name, { input: ["raw://first\nbad"], map, ...options });
  const other = await disco.newJob("other", {
    input: ["raw://a", "raw://b"],
    map: (line) => [[line, 1] as const],
    reduce: (pairs) => pairs,
    sort: true,
  });
  const error = await deathOf(job);
  assert.deepEqual(await resultIterator(other).toArray(), [
    ["a", 1],
    ["b", 1],
  ]);
  await other.purge();
  return { job, error };
}

function showsLine(error: JobError, text: RegExp): void {
  const { location, frame } = error.failure ?? {};
  assert.match(location?.file ?? "", /dying-workers\.test\.ts$/);
  assert.match(frame ?? "", text);
  assert.match(error.message, /dying-workers\.test\.ts:\d+:\d+/);
}

describe("a job whose function", { timeout: 120_000 }, () => {
  test("fills the JavaScript heap dies with out-of-memory and its limit, after one more try", async () => {
    const { error, job } = await besideAnother(
      "heap",
      () => {
        const kept: number[][] = [];
        for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => i + kept.length));
      },
      { memoryLimit: 128 },
    );
    assert.equal(error.code, "out-of-memory");
    assert.match(error.message, /limit 128 MB/);
    assert.match(error.hint ?? "", /memoryLimit/);
    assert.equal((await job.jobinfo()).stages[0]?.failed, 2);
  });

  test("fills memory outside of the heap dies in the same way", async () => {
    const { error } = await besideAnother(
      "arrays",
      () => {
        const kept: Float64Array[] = [];
        for (;;) kept.push(new Float64Array(1_000_000).fill(kept.length));
      },
      { memoryLimit: 160 },
    );
    assert.equal(error.code, "out-of-memory");
    assert.match(error.message, /limit 160 MB/);
  });

  test("loops forever is killed after taskTimeout", async () => {
    const { error } = await besideAnother(
      "loop",
      (line) => {
        while (line === "bad");
        return [];
      },
      { taskTimeout: 1, retries: 0 },
    );
    assert.equal(error.code, "timeout");
    assert.match(error.message, /no progress for 1 s/);
    assert.match(error.hint ?? "", /endless loop/);
  });

  test("waits forever is killed after taskTimeout", async () => {
    const { error } = await besideAnother("wait", (line) => (line === "bad" ? new Promise(() => {}) : []), {
      taskTimeout: 1,
      retries: 0,
    });
    assert.equal(error.code, "timeout");
  });

  for (const code of [0, 1]) {
    test(`calls process.exit(${code}) fails: an exit is never a success`, async () => {
      const { error } = await besideAnother(
        `exit${code}`,
        code === 0
          ? (line) => {
              if (line === "bad") process.exit(0);
              return [];
            }
          : (line) => {
              if (line === "bad") process.exit(1);
              return [];
            },
      );
      assert.equal(error.code, "worker-exit");
      assert.match(error.message, new RegExp(`process\\.exit\\(${code}\\)`));
      showsLine(error, /if \(line === "bad"\) process\.exit/);
    });
  }

  test("aborts is told with the signal, and given up after three processes", async () => {
    const { error, job } = await besideAnother("abort", (line) => {
      if (line === "bad") process.abort();
      return [];
    });
    assert.equal(error.code, "worker-signal");
    assert.match(error.message, /SIGABRT/);
    assert.equal((await job.jobinfo()).stages[0]?.failed, 3);
  });

  test("kills its process again and again is given up in the end", async () => {
    const { error } = await besideAnother("segv", (line) => {
      if (line === "bad") process.kill(process.pid, "SIGSEGV");
      return [];
    });
    assert.equal(error.code, "worker-signal");
    assert.match(error.message, /SIGSEGV/);
  });

  test("throws dies at the second time, with the user's line", async () => {
    const { error, job } = await besideAnother("throws", (line) => {
      if (line === "bad") throw new RangeError(`cannot take ${line}`);
      return [];
    });
    assert.equal(error.code, "user-error");
    assert.equal(error.failure?.name, "RangeError");
    assert.match(error.message, /RangeError: cannot take bad/);
    showsLine(error, /throw new RangeError/);
    assert.equal((await job.jobinfo()).status, "dead");
  });

  test("rejects where nobody listens fails the task that ran", async () => {
    const { error } = await besideAnother("rejects", async (line) => {
      if (line === "bad") {
        void Promise.reject(new Error("forgotten"));
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      return [];
    });
    assert.match(error.message, /forgotten/);
    showsLine(error, /Promise\.reject\(new Error\("forgotten"\)\)/);
  });

  test("throws where nobody catches fails the task that ran", async () => {
    const { error } = await besideAnother("throwslater", async (line) => {
      if (line === "bad") {
        setImmediate(() => {
          throw new Error("out of nowhere");
        });
        await new Promise(() => {});
      }
      return [];
    });
    assert.match(error.message, /out of nowhere/);
    showsLine(error, /throw new Error\("out of nowhere"\)/);
  });

  test("throws what is no error is told as it is", async () => {
    const { error } = await besideAnother("throwsvalue", (line) => {
      if (line === "bad") throw { status: 7 };
      return [];
    });
    assert.match(error.message, /\{ status: 7 \}/);
  });

  test("recurses without end shows the line of the recursion", async () => {
    const { error } = await besideAnother("recursion", (line) => {
      const deeper = (n: number): number => deeper(n + 1) + 1;
      return line === "bad" ? [[line, deeper(0)]] : [];
    });
    assert.equal(error.failure?.name, "RangeError");
    showsLine(error, /deeper\(n \+ 1\)/);
  });
});
