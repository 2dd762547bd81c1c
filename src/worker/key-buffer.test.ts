import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { hashKey } from "../protocol/hash.ts";
import { KeyBuffer } from "./key-buffer.ts";

const seed = 11;

type Step = readonly [method: "get" | "has" | "set" | "delete" | "clear", key: unknown];

/** Does the same to both, each step as a call of its own or as the next one of the call before with the same key. */
function agree(steps: readonly Step[]): void {
  const buffer = new KeyBuffer(seed);
  const map = new Map<unknown, unknown>();
  for (const [i, [method, key]] of steps.entries()) {
    const before = steps[i - 1];
    if (before === undefined || !Object.is(before[1], key)) buffer.begin();
    if (method === "clear") {
      buffer.clear();
      map.clear();
    } else if (method === "set") {
      assert.equal(buffer.set(key, i), buffer);
      map.set(key, i);
    } else {
      assert.equal(buffer[method](key), map[method](key));
    }
    assert.equal(buffer.size, map.size);
  }
  const entries: [unknown, unknown][] = [];
  buffer.forEach((key, value, hash) => {
    assert.equal(hash, hashKey(key, seed));
    entries.push([key, value]);
  });
  assert.deepEqual(entries, [...map]);
}

/** Strings that all begin their search at the same slot. */
function colliding(count: number): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) if ((hashKey(`k${i}`, seed) & 0xfff) === 5) found.push(`k${i}`);
  return found;
}

describe("the buffer of a combiner that asks for its key is a map", () => {
  const method = fc.constantFrom("get", "has", "set", "set", "set", "delete") as fc.Arbitrary<Step[0]>;
  const key = fc.oneof(
    fc.string({ maxLength: 2 }),
    fc.integer({ min: -1, max: 3 }),
    fc.constantFrom<unknown>(0, -0, Number.NaN, null, undefined, true, 3n, "3", "long".repeat(20), "é", "\ud800"),
  );
  const steps = (keys: fc.Arbitrary<unknown>) =>
    fc.array(fc.oneof({ weight: 50, arbitrary: fc.tuple(method, keys) }, fc.constant(["clear", 0] as Step)), {
      maxLength: 400,
      size: "max",
    }) as fc.Arbitrary<Step[]>;

  it("for keys of all kinds", () => fc.assert(fc.property(steps(key), agree)));

  it("for many keys, of which some come again and some go", () => {
    const many = fc.integer({ min: 0, max: 2_000 }).map((n) => `key ${n}`);
    const long = fc.array(fc.tuple(method, many) as fc.Arbitrary<Step>, { minLength: 4_000, maxLength: 4_000 });
    fc.assert(fc.property(long, agree), { numRuns: 5 });
  });

  it("for keys that were made to lie in each other's way", () => {
    const keys = colliding(100);
    const all = (name: Step[0]): Step[] => keys.map((each): Step => [name, each]);
    agree([...all("set"), ...all("get"), ...all("delete"), ...all("set"), ...all("has")]);
    fc.assert(fc.property(steps(fc.constantFrom(...keys)), (random) => agree([...all("set"), ...random])));
  });
});
