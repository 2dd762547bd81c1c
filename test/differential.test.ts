/**
 * Random jobs against a map/reduce of a dozen lines. What differs is how records get from map to reduce: by how many tasks,
 * through which partitions, spilled how often, combined when, written again after how many failures. What may not differ is
 * a single record, or its place.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { sum } from "../src/fn/index.ts";
import { Disco, kvgroup, objectReader, objectWriter, resultIterator, task } from "../src/index.ts";
import { anyKey, anyValue } from "../src/protocol/arbitrary-values.test-kit.ts";
import { hashKey } from "../src/protocol/hash.ts";
import { compareValues } from "../src/protocol/order.ts";
import { encodeValue } from "../src/protocol/value.ts";
import { type AnyFn, JobBench } from "../src/worker/fixtures/job-bench.ts";

type Pair = readonly [key: unknown, value: unknown];

/** Milliseconds for each of the three properties; a run by night may take longer. */
const budgetMs = Number(process.env["DIFFERENTIAL_MS"] ?? 4_000);
const seedOfJobs = 7;

interface Shape {
  /** Records of each map task, by the entry that emits them. */
  readonly tasks: readonly (readonly (readonly Pair[])[])[];
  readonly partitions: number | null;
  readonly sort: boolean;
  readonly map: "array" | "generator" | "promise" | "mixed" | "async generator";
  readonly concurrency: number;
  readonly memoryLimitBytes: number;
  /** Entries after which attempts fail, by task: each is one more attempt before the one that counts. */
  readonly failures: readonly number[];
}

const pairs = fc.array(fc.tuple(anyKey, fc.oneof(fc.nat(), anyValue)), { maxLength: 12, size: "max" });
/** The same few records many times: enough of them for several blocks, runs and passes of a merge. */
const bulk = fc
  .tuple(
    fc.array(fc.tuple(anyKey, fc.nat()), { minLength: 1, maxLength: 40, size: "max" }),
    fc.integer({ min: 1, max: 400 }),
  )
  .map(([some, times]) => Array.from({ length: times }, (_, i) => some.map(([key, n]) => [key, n + i] as const)));

/** Columns of one kind each: few or many distinct strings, narrow or wide, small integers or doubles, or objects. */
const column: fc.Arbitrary<fc.Arbitrary<unknown>> = fc.constantFrom<fc.Arbitrary<unknown>[]>(
  fc.constantFrom("a", "bb", "a longer word", "ÿ"),
  fc.constantFrom("Ā", "😀", "\ud800", "wide ß"),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.integer(),
  fc.double(),
  fc.record({ id: fc.nat(3), name: fc.string({ maxLength: 4 }) }),
);
const columns = fc
  .tuple(column, column)
  .chain(([keys, values]) =>
    fc.array(fc.array(fc.tuple(keys, values), { maxLength: 200, size: "max" }), { maxLength: 20 }),
  );

const shape: fc.Arbitrary<Shape> = fc.record({
  tasks: fc.array(fc.oneof(fc.array(pairs, { maxLength: 20 }), bulk, columns), { minLength: 1, maxLength: 5 }),
  partitions: fc.constantFrom(null, 1, 2, 9, 40),
  sort: fc.boolean(),
  map: fc.constantFrom("array", "generator", "promise", "mixed", "async generator"),
  concurrency: fc.constantFrom(1, 3, 16),
  memoryLimitBytes: fc.constantFrom(2_000, 40_000, 400_000, 3_000_000, 64 * 1024 * 1024),
  failures: fc.array(fc.nat(30), { maxLength: 5 }),
});

/** A map over numbers of entries. */
function mapOf({ map }: Shape, emits: (entry: string) => readonly Pair[]): AnyFn {
  switch (map) {
    case "array":
      return emits;
    case "generator":
      return function* (entry: string) {
        yield* emits(entry);
      };
    case "promise":
      return async (entry: string) => emits(entry);
    case "mixed":
      return (entry: string) => {
        const found = emits(entry);
        return found.length % 2 === 0 ? found : Promise.resolve(found);
      };
    case "async generator":
      return async function* (entry: string) {
        for (const pair of emits(entry)) {
          await null;
          yield pair;
        }
      };
  }
}

/** What each partition's reduce must read, in order. */
function expectedReads({ tasks, partitions, sort }: Shape): Pair[][] {
  const reads: Pair[][] = Array.from({ length: partitions ?? 1 }, () => []);
  for (const pair of tasks.flat(2)) {
    const at = partitions === null ? 0 : hashKey(pair[0], seedOfJobs) % partitions;
    (reads[at] as Pair[]).push(pair);
  }
  if (sort) for (const read of reads) read.sort(([a], [b]) => compareValues(a, b));
  return reads;
}

/** As many runs as fit into the time, and two in any case. fast-check names the seed of a failure. */
async function check<T>(property: fc.IAsyncProperty<T>): Promise<void> {
  const end = performance.now() + budgetMs;
  // The limit is for the search for a smaller failure, which would go on for minutes.
  do await fc.assert(property, { numRuns: 2, interruptAfterTimeLimit: budgetMs + 20_000 });
  while (performance.now() < end);
}

/** Runs all tasks of both stages in this process; the records that each reduce read, and the digests of the maps. */
async function runJob(shape: Shape, failures: readonly number[], combiner?: AnyFn) {
  let doomed = Number.POSITIVE_INFINITY;
  const map = mapOf(shape, (entry) => {
    const [number, at] = entry.split(" ").map(Number) as [number, number];
    if (at >= doomed) throw new Error("doomed");
    return shape.tasks[number]?.[at] as readonly Pair[];
  });
  const bench = await JobBench.open({
    stages: [
      {
        kind: "map",
        fn: map,
        partitions: shape.partitions,
        concurrency: shape.concurrency,
        ...(combiner === undefined ? {} : { combiner }),
      },
      { kind: "reduce", fn: (records: Iterable<Pair>) => records, sort: shape.sort },
    ],
    memoryLimitBytes: shape.memoryLimitBytes,
  });
  try {
    const digests: string[] = [];
    for (const [number, entries] of shape.tasks.entries()) {
      const inputs = [`raw://${entries.map((_, at) => `${number} ${at}`).join("\n")}`];
      let attempt = 0;
      doomed = failures[number] ?? Number.POSITIVE_INFINITY;
      if (doomed < entries.length)
        await assert.rejects(bench.run({ task: number, inputs, attempt: attempt++ }), /doomed/);
      doomed = Number.POSITIVE_INFINITY;
      digests.push((await bench.run({ task: number, inputs, attempt })).ref.digest);
    }
    const reads: Pair[][] = [];
    for (let label = 0; label < (shape.partitions ?? 1); label++) {
      await bench.run({ stage: 1, task: label, label });
      reads.push(bench.results(1).slice(reads.reduce((sum, read) => sum + read.length, 0)));
    }
    return { reads, digests };
  } finally {
    await bench.close();
  }
}

/** Equal to the last bit: -0 is not 0 here. */
function assertSame(found: readonly Pair[], expected: readonly Pair[], what: string): void {
  assert.equal(found.length, expected.length, `${what}: number of records`);
  for (const [i, pair] of expected.entries()) {
    if (Buffer.compare(encodeValue(found[i]), encodeValue(pair)) !== 0)
      assert.deepEqual(found[i], pair, `${what}, record ${i}`);
  }
}

test("a random job reads exactly the records that a loop in memory would, in the same order", async () => {
  await check(
    fc.asyncProperty(shape, async (shape) => {
      const { reads, digests } = await runJob(shape, shape.failures);
      for (const [label, expected] of expectedReads(shape).entries()) {
        assertSame(reads[label] ?? [], expected, `partition ${label}`);
      }
      if (shape.failures.length > 0) assert.deepEqual((await runJob(shape, [])).digests, digests, "bytes of a retry");
    }),
  );
});

/** Combiners in the ways that one may be written. All of them add. */
const combiners: Readonly<Record<string, AnyFn>> = {
  "keeps sums until the end": (key: unknown, value: number, buffer: Map<unknown, number>) => {
    buffer.set(key, (buffer.get(key) ?? 0) + value);
  },
  "emits sums when done": (key: unknown, value: number, buffer: Map<unknown, number>, done: boolean) => {
    if (done) return [...buffer];
    buffer.set(key, (buffer.get(key) ?? 0) + value);
    return [];
  },
  "is the built-in one": sum,
  "emits what grows large": function* (key: unknown, value: number, buffer: Map<unknown, number>, done: boolean) {
    if (done) return yield* buffer;
    const sum = (buffer.get(key) ?? 0) + value;
    buffer.delete(key);
    if (sum > 100) yield [key, sum];
    else buffer.set(key, sum);
  },
};

test("a combiner changes no sum, however often its buffers are emptied", async () => {
  const counts = fc.array(fc.tuple(fc.oneof(fc.nat(300), fc.string({ maxLength: 3 }), fc.bigInt()), fc.nat(50)), {
    maxLength: 3_000,
    size: "max",
  });
  const combined = fc.record({
    shape: shape.map((some) => ({ ...some, sort: true })),
    tasks: fc.array(counts, { minLength: 1, maxLength: 3 }),
    name: fc.constantFrom(...Object.keys(combiners)),
  });
  await check(
    fc.asyncProperty(combined, async ({ shape, tasks, name }) => {
      const job = { ...shape, tasks: tasks.map((records) => records.map((pair) => [pair])) };
      const { reads, digests } = await runJob(job, job.failures, combiners[name]);
      const sums = (read: readonly Pair[]) => Array.from(kvgroup(read), ([key, values]) => [key, add(values)] as const);
      for (const [label, expected] of expectedReads(job).entries()) {
        assertSame(sums(reads[label] ?? []), sums(expected), `partition ${label}`);
      }
      assert.deepEqual((await runJob(job, [], combiners[name])).digests, digests, "bytes of a retry");
    }),
  );
});

function add(values: Iterable<unknown>): number {
  let sum = 0;
  for (const value of values) sum += value as number;
  return sum;
}

interface Doom {
  /** Records after which the first attempt of a task kills its process, by task. */
  map: (number | null)[];
  reduce: (number | null)[];
  seen: number;
}

/** Counts a record; the one that was chosen is the process's last. */
function dieAt(records: number | null | undefined, params: Doom): void {
  if (task.attempt > 0 || params.seen++ !== records) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

test("a random job whose workers are killed gives exactly what a loop in memory would", { timeout: 1e9 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "disco-differential-"));
  const disco = new Disco(undefined, { workers: 2, root: join(folder, "root") });
  const doom = fc.array(fc.option(fc.nat(40)), { maxLength: 9 });
  let jobs = 0;
  try {
    await check(
      fc.asyncProperty(shape, doom, doom, async (shape, map, reduce) => {
        const input = await Promise.all(
          shape.tasks.map(async (records, i) => {
            const chunks: Uint8Array[] = [];
            const sink = { write: (chunk: Uint8Array | string) => void chunks.push(Buffer.from(chunk)) };
            for (const [key, value] of records.flat()) objectWriter(sink, key, value);
            const file = join(folder, `input-${jobs}-${i}`);
            await writeFile(file, Buffer.concat(chunks));
            return file;
          }),
        );
        jobs++;
        const job = await disco.newJob("differential", {
          input,
          params: { map, reduce, seen: 0 } satisfies Doom as Doom,
          mapReader: objectReader,
          map: (pair, params) => {
            dieAt(params.map[task.id], params);
            return [pair];
          },
          *reduce(pairs, params) {
            for (const pair of pairs) {
              dieAt(params.reduce[task.id], params);
              yield pair;
            }
          },
          seed: 7,
          sort: shape.sort,
          partitions: shape.partitions,
        });
        const results = await resultIterator(await job.wait({ timeout: 60 })).toArray();
        assertSame(results, expectedReads(shape).flat(), job.name);
        await job.purge();
      }),
    );
  } finally {
    await disco.close();
    await rm(folder, { recursive: true, force: true });
  }
});
