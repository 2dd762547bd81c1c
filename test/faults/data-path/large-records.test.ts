/**
 * Large records: keys of a megabyte in events and errors, and one that is too large for the memory limit: refused by name.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { nopReduce, resultIterator } from "../../../src/index.ts";
import { deathOf, type Engine, messagesOf, openEngine } from "../engine.test-kit.ts";

let engine: Engine;
before(async () => {
  engine = await openEngine();
});
after(() => engine[Symbol.asyncDispose]());

const memoryLimit = 256;
const limitBytes = memoryLimit * 2 ** 20;

describe("keys of a megabyte", { timeout: 120_000 }, () => {
  test("are cut where an event or an error names them", async () => {
    const job = await engine.disco.newJob("named", {
      input: ["raw://x"],
      map: (line) => {
        const key = line.repeat(2 ** 20);
        console.log(`the key is ${key}`);
        return [[key, 1] as const];
      },
      partition: () => 7,
      partitions: 2,
      reduce: nopReduce,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "bad-partition");
    assert.match(error.message, /partition returned 7 for the key 'xxxx+'\.\.\. 1048516 more characters/);
    for (const message of await messagesOf(job)) assert.ok(message.length < 64 * 1024, `${message.length} characters`);
  });
});

describe("a record above an eighth of the memory limit", { timeout: 120_000 }, () => {
  const tooLarge = (limitBytes / 8) * 1.01;

  test("is refused with its key and the input that it came from, whether key or value is large", async () => {
    const input = join(engine.scratch, "input.txt");
    await writeFile(input, "first\nsecond\n");
    for (const [key, value, name] of [
      ["the key", "x".repeat(tooLarge), /'the key'/],
      ["y".repeat(tooLarge), 1, /'yyyyyyyyyy+'\.\.\. \d+ more characters/],
      [{ id: 17 }, { list: [new Uint8Array(tooLarge)] }, /\{ id: 17 \}/],
    ] as const) {
      for (const stages of [{}, { reduce: nopReduce, sort: true }]) {
        const job = await engine.disco.newJob("large", {
          input: [input],
          params: { key, value },
          map: (line, { key, value }) => (line === "second" ? [[key, value] as [unknown, unknown]] : []),
          memoryLimit,
          ...stages,
        });
        const error = await deathOf(job);
        assert.equal(error.code, "record-too-large");
        assert.match(error.message, name);
        assert.match(error.message, /takes \d+\.\d MB, an eighth of the memory limit is 32\.0 MB/);
        assert.match(error.hint ?? "", /raise memoryLimit above \d+ MB/);
        assert.equal(error.failure?.url, input);
      }
    }
  });

  test("is refused by the reduce that makes it", async () => {
    const job = await engine.disco.newJob("large", {
      input: ["raw://x"],
      params: { size: tooLarge },
      map: (line) => [[line, 1] as const],
      *reduce(pairs, { size }) {
        for (const [key] of pairs) yield [key, new Uint8Array(size)] as const;
      },
      memoryLimit,
    });
    const error = await deathOf(job);
    assert.equal(error.code, "record-too-large");
    assert.match(error.message, /'x'/);
  });

  test("is taken with a higher limit", async () => {
    const job = await engine.disco.newJob("larger", {
      input: ["raw://x"],
      params: { size: tooLarge },
      map: (line, { size }) => [[line, "x".repeat(size)] as const],
      reduce: nopReduce,
      sort: true,
      memoryLimit: 512,
    });
    const [record] = await resultIterator(await job.wait({ timeout: 100 })).toArray();
    assert.equal(record?.[1]?.length, Math.floor(tooLarge));
  });
});
