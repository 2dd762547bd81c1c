import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type MapFn, mapAll, mapAsync } from "./map-loop.ts";
import { emitAll } from "./pairs.ts";
import { Progress } from "./progress.ts";
import { ArraySource, Records } from "./storage/batch.ts";
import { BatchIterator } from "./streams/batches.ts";

/** What one call gives. Its `odd` pairs are no pairs. */
interface Plan {
  readonly shape: "list" | "generator" | "set" | "records" | "promise" | "asyncGenerator" | "nothing";
  readonly pairs: readonly unknown[];
  readonly throwsAt: number | null;
}

const odd = fc.constantFrom<unknown>("ab", 7, null, ["one"], ["a", "b", "c"], new Uint8Array([1, 2]), {});
const pair = fc.oneof({ weight: 40, arbitrary: fc.tuple(fc.string({ maxLength: 2 }), fc.integer()) }, odd);

function plans(...shapes: Plan["shape"][]): fc.Arbitrary<Plan[]> {
  const plan: fc.Arbitrary<Plan> = fc.record({
    shape: fc.constantFrom(...shapes),
    pairs: fc.array(pair, { maxLength: 4 }),
    throwsAt: fc.oneof({ weight: 30, arbitrary: fc.constant(null) }, fc.nat({ max: 4 })),
  });
  return fc.array(plan, { maxLength: 30 });
}

function* steps({ pairs, throwsAt }: Plan): Generator<unknown> {
  for (const [i, one] of pairs.entries()) {
    if (i === throwsAt) throw new RangeError(`at ${i}`);
    yield one;
  }
}

const map: MapFn = (entry) => {
  const plan = entry as Plan;
  switch (plan.shape) {
    case "list":
      return [...steps(plan)];
    case "generator":
      return steps(plan);
    case "set":
      return new Set(steps(plan));
    case "records": {
      const all = [...steps(plan)].filter((one) => Array.isArray(one)) as unknown[][];
      return new Records(
        new ArraySource(
          all.map(([key]) => key),
          all.map(([, value]) => value),
        ),
      );
    }
    case "promise":
      return Promise.resolve().then(() => [...steps(plan)]);
    case "asyncGenerator":
      return (async function* () {
        yield* steps(plan);
      })();
    case "nothing":
      return undefined;
  }
};

/** As simple as it can be told. */
async function plainly(all: readonly Plan[]): Promise<unknown[]> {
  const out: unknown[] = [];
  for (const plan of all) {
    try {
      const result = (await map(plan, {})) as Iterable<unknown>;
      if (result === undefined) throw new Error("nothing");
      for await (const one of result) {
        if (typeof one !== "object" || (one as unknown[] | null)?.length !== 2) throw new Error("odd");
        out.push([(one as unknown[])[0], (one as unknown[])[1]]);
      }
    } catch {
      return [...out, "failed"];
    }
  }
  return out;
}

class Batches extends BatchIterator<Plan> {
  readonly #all: readonly Plan[];
  #at = 0;

  constructor(all: readonly Plan[]) {
    super();
    this.#all = all;
  }

  protected override readBatch(): readonly Plan[] | null {
    const batch = this.#all.slice(this.#at, (this.#at += 3));
    return batch.length === 0 ? null : batch;
  }
}

async function through(all: readonly Plan[], source: "batches" | "iterator" | "async", fn: MapFn): Promise<unknown[]> {
  const out: unknown[] = [];
  const progress = new Progress(new Int32Array(2), { progress: () => {}, status: () => {} }, 0, "map");
  const emit = (key: unknown, value: unknown): void => void out.push([key, value]);
  const setEmitter = fn === map ? null : direct;
  const run = { fn, name: "map", params: {}, emit, setEmitter, progress, concurrency: 3, onBatch: () => {} };
  try {
    if (source === "async") {
      const entries = async function* (): AsyncGenerator<Plan> {
        yield* all;
      };
      await mapAsync(entries(), run);
    } else {
      await mapAll(source === "batches" ? new Batches(all) : all.values(), run);
    }
  } catch {
    return [...out, "failed"];
  }
  assert.equal(progress.recordsIn, all.length);
  return out;
}

let each: (pairs: unknown) => void;
const direct = (_emit: unknown, all: (pairs: unknown) => void): void => {
  each = all;
};
/** A map that emits by itself. */
const emitting: MapFn = (entry) => each(map(entry, {}));

describe("the map loop gives what calling the map for each entry gives", () => {
  const sources = ["batches", "iterator", "async"] as const;
  const check = (all: fc.Arbitrary<Plan[]>, fn: MapFn): Promise<void> =>
    fc.assert(
      fc.asyncProperty(all, fc.constantFrom(...sources), async (entries, source) => {
        const [given, expected] = [await through(entries, source, fn), await plainly(entries)];
        assert.equal(given.at(-1) === "failed", expected.at(-1) === "failed");
        // Calls run ahead, so that a failure may come before what earlier ones gave. An attempt that failed has no output.
        if (given.at(-1) === "failed") assert.deepEqual(given.slice(0, -1), expected.slice(0, given.length - 1));
        else assert.deepEqual(given, expected);
      }),
    );

  it("for maps whose results are of one kind, and of all kinds in turn", async () => {
    for (const shape of ["list", "generator", "set", "records"] as const) await check(plans(shape), map);
    await check(plans("list", "generator", "set", "records", "nothing"), map);
  });

  it("for maps that become async on the way, and back", () =>
    check(plans("list", "generator", "promise", "list", "asyncGenerator", "set", "list"), map));

  it("for maps that emit by themselves", () => check(plans("list", "generator", "set", "records"), emitting));

  it("says what is not iterable where all pairs of something are to be emitted", () => {
    const fail = (pairs: unknown): void => emitAll(pairs, () => {}, "map");
    assert.throws(() => fail(undefined), /^TypeError: undefined is not iterable$/);
    assert.throws(() => fail(5), TypeError);
    assert.throws(() => fail("ab"), { code: "bad-result" });
  });
});
