import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as generators from "./fixtures/generators.ts";
import type { JobFunction } from "./job-function.ts";
import { type LoadedCode, loadCode } from "./load.ts";
import { shipFunctions } from "./ship.ts";

type Pair = [unknown, unknown];

interface Shipped {
  readonly loaded: LoadedCode;
  readonly refs: readonly number[];
}

async function ship(fns: readonly JobFunction[], isEmitted: boolean, portable = false): Promise<Shipped> {
  const { code, refs } = await shipFunctions(
    fns.map((fn, i) => ({ role: `map${i}`, fn, isEmitted })),
    { portable },
  );
  return { loaded: await loadCode(code), refs };
}

/** What a map gives for an entry, and how it failed, in words. */
function called({ loaded, refs }: Shipped, index: number, line: string, params: unknown): [Pair[], unknown] {
  const ref = refs[index] as number;
  const pairs: Pair[] = [];
  const setEmitter = loaded.emitter(ref);
  const emit = (key: unknown, value: unknown): void => void pairs.push([key, value]);
  setEmitter?.(emit, (all) => pairs.push(...(all as Iterable<Pair>)));
  try {
    const result = (loaded.fn(ref) as (line: string, params: unknown) => Iterable<Pair>)(line, params);
    if (setEmitter === null) for (const pair of result) pairs.push(pair);
    return [pairs, undefined];
  } catch (error) {
    const { stack, ...place } = loaded.translate(error);
    // A generator is stepped by `next`, which a stack tells.
    return [pairs, { ...place, stack: stack.replace(/^.*\.next \(<anonymous>\)\n?/gm, "") }];
  }
}

const lines = ["", "a", "b", "the end of it", "abba", "  two  spaces "];
const direct = {
  words: generators.words,
  expression: generators.expression,
  method: generators.job.method,
  inline: generators.job.inline,
  ...generators.delegating,
};

describe("a map that only yields pairs", () => {
  for (const [name, fn] of Object.entries(direct)) {
    for (const portable of [false, true]) {
      it(`emits them without being stepped, and fails as before: ${name}${portable ? ", bundled" : ""}`, async () => {
        const fast = await ship([fn as JobFunction], true, portable);
        const plain = await ship([fn as JobFunction], false, portable);
        assert.notEqual(fast.loaded.emitter(fast.refs[0] as number), null);
        assert.equal(plain.loaded.emitter(plain.refs[0] as number), null);
        for (const line of lines) {
          const params = line === "a" ? undefined : { least: 3 };
          assert.deepEqual(called(fast, 0, line, params), called(plain, 0, line, params));
        }
      });
    }
  }

  it("emits beside others of its module, each with what it uses", async () => {
    const fns = [...Object.values(direct), generators.parts, generators.helped] as JobFunction[];
    const fast = await ship(fns, true);
    const plain = await ship(fns, false);
    const emits = fns.map((_, i) => fast.loaded.emitter(fast.refs[i] as number) !== null);
    assert.deepEqual(emits, [...Object.values(direct).map(() => true), false, true]);
    for (const i of fns.keys()) {
      assert.deepEqual(called(fast, i, "over there", { least: 1 }), called(plain, i, "over there", { least: 1 }));
    }
  });

  it("stays a generator where it is more to the job than a map", async () => {
    const { code } = await shipFunctions(
      [
        { role: "map", fn: generators.words, isEmitted: true },
        { role: "params.words", fn: generators.words },
      ],
      { portable: false },
    );
    const loaded = await loadCode(code);
    assert.equal(loaded.emitter(0), null);
  });
});

describe("a map stays a generator", () => {
  for (const [name, fn] of Object.entries(generators.stays)) {
    it(`where it could be told from a function: ${name}`, async () => {
      const shipped = await ship([fn as JobFunction], true);
      assert.equal(shipped.loaded.emitter(shipped.refs[0] as number), null);
      const result = (shipped.loaded.fn(shipped.refs[0] as number) as (line: string) => AsyncIterable<unknown>)("ab");
      assert.deepEqual(
        await Array.fromAsync(result),
        await Array.fromAsync((fn as JobFunction)("ab" as never) as never),
      );
    });
  }
});
