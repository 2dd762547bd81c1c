import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as declared from "./fixtures/declared.ts";
import * as evals from "./fixtures/evals.ts";
import * as functions from "./fixtures/functions.ts";
import * as sameNames from "./fixtures/same-names.ts";
import type { JobFunction } from "./job-function.ts";
import { loadCode } from "./load.ts";
import { shipFunctions } from "./ship.ts";

/** The functions as a worker would have them. */
async function travel(
  fns: Record<string, JobFunction>,
  portable = false,
): Promise<Record<string, (...args: never[]) => unknown>> {
  const { code, refs } = await shipFunctions(
    Object.entries(fns).map(([role, fn]) => ({ role, fn })),
    { portable },
  );
  const loaded = await loadCode(code);
  return Object.fromEntries(Object.keys(fns).map((role, index) => [role, loaded.fn(refs[index] as number) as never]));
}

describe("a job function travels", () => {
  it("with imports, helpers, constants and classes of its module, whose top level does not run again", async () => {
    const { named, arrow, recursive, area, method } = await travel({
      named: functions.named,
      arrow: functions.arrow,
      recursive: functions.recursive,
      area: functions.area,
      method: functions.method,
    });
    assert.deepEqual(
      [...(named as (line: string) => Iterable<unknown>)("The end of it")],
      [
        ["end!", 6],
        ["it!", 6],
      ],
    );
    assert.equal((arrow as JobFunction)("abc"), 7);
    assert.equal((recursive as JobFunction)(5), 120);
    assert.equal((area as JobFunction)(4), 16);
    assert.equal((method as JobFunction)(3).area(), 9);
    assert.equal(Reflect.get(globalThis, "discoFixtureRuns"), 1);
  });

  it("as an inline arrow, method, generator, async function or function expression", async () => {
    const all = await travel({ ...functions.inline } as never);
    const call = (name: string, ...args: unknown[]): unknown => (all[name] as JobFunction)(...args);
    assert.equal(call("map", "a b"), 5);
    assert.deepEqual([...(call("reduce", [1, 2]) as Iterable<number>)], [4, 5]);
    assert.equal(await call("later", 1), "43");
    assert.deepEqual(await Array.fromAsync(call("stream", 1) as AsyncIterable<number>), [1, 3]);
    assert.equal(call("quoted name", 1), 2);
    assert.equal(call("computed", 1), 3);
    assert.equal(call("braces", "a}b`"), "ab{3");
    assert.equal(call("shadows", 4), 8);
    assert.equal(call("destructured", { a: 1, b: [2] }), 5);
    assert.equal(call("namespace", "x"), "x!");
    assert.equal(call("expression", 5), 2);
    assert.equal(await call("dynamic", "x"), "x!");
  });

  it("with the present values of variables that are data, however they came by them", async () => {
    const { values } = await travel({ values: functions.inline.values });
    assert.deepEqual((values as JobFunction)(), ["/**", 42, 11, "fixture", 2]);
  });

  it("as a default export, out of a table, and two on one line", async () => {
    const { anonymous, triple, left, right } = await travel({
      anonymous: functions.default,
      triple: functions.fromTable,
      left: functions.left,
      right: functions.right,
    });
    assert.equal((anonymous as JobFunction)("Hello world"), "hello");
    assert.equal((triple as JobFunction)(2), 6);
    assert.deepEqual([(left as JobFunction)(1), (right as JobFunction)(1)], [4, -2]);
  });

  it("beside one of another module that uses the same names", async () => {
    const { a, b } = await travel({ a: functions.arrow, b: sameNames.map });
    assert.deepEqual([(a as JobFunction)("abc"), (b as JobFunction)(1)], [7, 101]);
  });

  it("twice in one job as one function", async () => {
    const { code, refs } = await shipFunctions(
      [
        { role: "map", fn: functions.arrow },
        { role: "reduce", fn: functions.arrow },
      ],
      { portable: false },
    );
    assert.deepEqual(refs, [0, 0]);
    assert.equal(code.fns.length, 1);
  });

  it("from declarations of every shape", async () => {
    const { classes, later, default: anonymous, ...rest } = declared;
    later();
    const all = await travel({ ...rest, anonymous, Counter: classes.Counter } as never);
    const call = (name: string, ...args: unknown[]): unknown => (all[name] as JobFunction)(...args);
    assert.deepEqual(await Array.fromAsync(call("anonymous", "a") as AsyncIterable<string>), ["a?"]);
    assert.equal(call("check", 3), true);
    assert.equal(call("usesOther", 2), false);
    assert.equal(call("fact", 5), 120);
    assert.equal(call("queued"), 2);
    assert.equal(call("secret"), 7);
    assert.equal(call("regexp", "a{b}"), 5);
    assert.equal(call("url"), true);
    const Counter = all.Counter as unknown as new () => { add(): number };
    assert.equal(new Counter().add(), 1);
  });

  it("with a counter of the module that begins at its present value and is the worker's own", async () => {
    declared.counting();
    const { counting } = await travel({ counting: declared.counting });
    assert.deepEqual([(counting as JobFunction)(), (counting as JobFunction)(), declared.counting()], [2, 3, 2]);
  });

  it("out of a module in which something else calls `eval`, with what that has changed", async () => {
    for (const portable of [false, true]) {
      const { ordinary } = await travel({ ordinary: evals.ordinary }, portable);
      assert.deepEqual(
        ["a/the", "a/it"].map((path) => (ordinary as JobFunction)(path)),
        [null, "it!"],
      );
      assert.equal((ordinary as JobFunction)("so"), evals.ordinary("so"));
    }
    evals.evaluates("limit = 3; stopWords.add('end')");
    const { ordinary, indirect } = await travel({ ordinary: evals.ordinary, indirect: evals.indirect });
    assert.deepEqual(
      ["it", "end", "the", "over"].map((path) => (ordinary as JobFunction)(path)),
      [null, null, null, "over!"],
    );
    assert.deepEqual((indirect as JobFunction)("1 + 1"), [2, "!"]);
  });

  it("again after it was loaded from a job pack", async () => {
    const { area, reduce } = await travel(await travel({ area: functions.area, reduce: functions.inline.reduce }));
    assert.equal((area as JobFunction)(3), 9);
    assert.deepEqual([...((reduce as JobFunction)([1]) as Iterable<number>)], [4]);
  });
});
