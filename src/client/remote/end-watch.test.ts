import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { JobStatus } from "../../core/job/spec.ts";
import type { JobResult } from "../master-api.ts";
import { EndWatch } from "./end-watch.ts";

/** A master's side of the questions: they are held until a job ends, the time is up, or they are called off. */
class Held {
  readonly ended = new Map<string, JobStatus>();
  readonly asked: { names: readonly string[]; timeoutMs: number }[] = [];
  readonly #open = new Set<() => void>();
  openMax = 0;

  get open(): number {
    return this.#open.size;
  }

  end(name: string, status: JobStatus = "ready"): void {
    this.ended.set(name, status);
    for (const look of [...this.#open]) look();
  }

  readonly ask = async (names: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<JobResult[]> => {
    this.asked.push({ names, timeoutMs });
    const results = (): JobResult[] =>
      names.map((name) => ({
        name,
        status: this.ended.get(name) ?? "active",
        results: [],
        reason: null,
        failure: null,
      }));
    if (timeoutMs === 0 || results().some(({ status }) => status !== "active")) return results();
    const { promise, resolve, reject } = Promise.withResolvers<JobResult[]>();
    const look = (): void => {
      if (results().some(({ status }) => status !== "active")) resolve(results());
    };
    signal.addEventListener("abort", () => {
      this.#open.delete(look);
      reject(signal.reason as Error);
    });
    this.#open.add(look);
    this.openMax = Math.max(this.openMax, this.#open.size);
    return await promise.finally(() => this.#open.delete(look));
  };
}

function statusOf({ status }: JobResult): string {
  return status;
}

describe("waiting for the ends of jobs", () => {
  it("takes one poll for all who begin together", async () => {
    const held = new Held();
    const watch = new EndWatch(held.ask);
    const waits = Array.from({ length: 1_000 }, (_, i) => watch.wait(`j${i}`, 60_000));
    await turn();
    assert.deepEqual(
      held.asked.map(({ names }) => names.length),
      [1_000],
    );
    for (let i = 0; i < 1_000; i++) held.end(`j${i}`, i % 2 === 0 ? "ready" : "dead");
    assert.deepEqual([...new Set((await Promise.all(waits)).map(statusOf))], ["ready", "dead"]);
    assert.ok(held.asked.length < 50, `${held.asked.length} questions`);
    watch.close();
  });

  it("takes few polls for those who begin one after the other", async () => {
    const held = new Held();
    const watch = new EndWatch(held.ask);
    const waits: Promise<JobResult>[] = [];
    for (let i = 0; i < 50; i++) {
      waits.push(watch.wait(`j${i}`, 60_000));
      await turn();
      await turn();
    }
    assert.ok(held.openMax <= 4, `${held.openMax} polls at once`);
    for (let i = 0; i < 50; i++) held.end(`j${i}`);
    assert.equal((await Promise.all(waits)).length, 50);
    watch.close();
  });

  it("tells the state when the time of one is up, to him alone", async () => {
    const held = new Held();
    const watch = new EndWatch(held.ask);
    const long = watch.wait("a", 60_000);
    assert.equal(statusOf(await watch.wait("a", 5)), "active");
    assert.deepEqual(held.asked.at(-1), { names: ["a"], timeoutMs: 0 });
    const isOver = await Promise.race([long.then(() => true), turn(false)]);
    assert.equal(isOver, false);
    held.end("a");
    assert.equal(statusOf(await long), "ready");
    // Ended already: he hears it, however short his time is.
    assert.equal(statusOf(await watch.wait("a", 1)), "ready");
    watch.close();
  });

  it("ends polls that nobody waits for", async () => {
    const held = new Held();
    const watch = new EndWatch(held.ask);
    const stop = new AbortController();
    const wait = watch.wait("a", 60_000, stop.signal);
    await turn();
    await turn();
    assert.equal(held.open, 1);
    stop.abort(new Error("enough"));
    await assert.rejects(wait, /enough/);
    while (held.open > 0) await turn();
  });

  it("fails for all whom a question that failed concerned, and goes on afterwards", async () => {
    const held = new Held();
    let isAway = true;
    const watch = new EndWatch((...asked) => (isAway ? Promise.reject(new Error("away")) : held.ask(...asked)));
    const waits = ["a", "b"].map((name) => watch.wait(name, 60_000));
    await Promise.all(waits.map((wait) => assert.rejects(wait, /away/)));
    isAway = false;
    const again = watch.wait("a", 60_000);
    await turn();
    held.end("a");
    assert.equal(statusOf(await again), "ready");
    watch.close();
  });
});
