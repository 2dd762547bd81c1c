/** What people write by mistake, or in JavaScript: an error at once, which says what was meant. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Disco, type nopMap, resultIterator } from "disco-mapreduce";
import { openBench, rejection } from "./bench.ts";

const bench = await openBench();
const { disco } = bench;
after(() => bench.close());

const map = (line: string): [string, number][] => [[line, 1]];
const input = ["raw://a"];

class Scorer {
  readonly #factor = 2;
  score(line: string): [string, number][] {
    return [[line, this.#factor]];
  }
}

describe("a slip", { timeout: 60_000 }, () => {
  it("of a forgotten await is recognised", async () => {
    const job = disco.newJob("awaited", { input, map });
    const results = job.then((started) => started.wait());
    const slips: (() => Promise<unknown>)[] = [
      () => disco.newJob("x", { input: results as never, map }),
      () => disco.newJob("x", { input: [results] as never, map }),
      () => disco.newJob("x", Promise.resolve({}) as never),
      () => resultIterator(results as never).toArray(),
      () => disco.wait(job as never),
    ];
    for (const slip of slips) assert.match((await rejection(slip())).message, /a promise \(is an await missing\?\)/);
    await results;
  });

  it("in the name of an option of new Disco or wait is refused, with the one that was meant", async () => {
    assert.throws(() => new Disco(undefined, { worker: 3 } as never), { code: "unknown-option", message: /workers/ });
    assert.throws(() => new Disco(undefined, { workers: 0 }), { code: "bad-option" });
    assert.throws(() => new Disco(undefined, { journal: "disk" as never }), { code: "bad-option", message: /journal/ });
    assert.throws(() => new Disco({ workers: 3 } as never), { code: "bad-address", hint: /second argument/ });
    const job = await disco.newJob("named", { input, map });
    await assert.rejects(job.wait({ timeOut: 5 } as never), { code: "unknown-option", message: /wait: timeout/ });
    await job.wait();
  });

  it("of a forgotten name, or of a list where one job is meant, says what was given", async () => {
    await assert.rejects((disco.newJob as (dict: unknown) => Promise<unknown>).call(disco, { input, map }), {
      code: "bad-name",
      message: /bad job name an object/,
    });
    const job = await disco.newJob("listed", { input, map });
    await assert.rejects(disco.wait([job] as never), { code: "bad-name", message: /list/ });
    await assert.rejects(resultIterator([job] as never).toArray(), { code: "bad-results", message: /class Job/ });
    assert.throws(() => [...resultIterator(job)], { code: "bad-results", hint: /for await/ });
    await job.wait();
  });

  it("of a function that cannot leave is found before anything starts", async () => {
    const jobs = (await disco.joblist()).length;
    const scorer = new Scorer();
    for (const [fn, code] of [
      [scorer.score, "captured-variable"],
      [scorer.score.bind(scorer), "native-function"],
      [JSON.parse, "native-function"],
      [new Function("line", "return [[line, 1]]"), "unsupported-source"],
      [Scorer, "bad-option"],
      [(line: string) => [[line, typeof disco]], "captured-variable"],
    ] as [typeof nopMap, string][]) {
      const error = await rejection(disco.newJob("cannot", { input, map: fn as unknown as typeof map }));
      assert.equal(error["code"], code, error.message);
      assert.ok(code === "bad-option" || typeof error["hint"] === "string");
    }
    assert.equal((await disco.joblist()).length, jobs);
  });
});
