import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JobError } from "../errors.ts";
import * as captures from "./fixtures/captures.ts";
import * as evals from "./fixtures/evals.ts";
import type { JobFunction } from "./job-function.ts";
import { shipFunctions } from "./ship.ts";

/** The refusal of a function in the role of `map`. */
async function refusal(fn: JobFunction, role = "map"): Promise<JobError> {
  try {
    await shipFunctions([{ role, fn }], { portable: false });
  } catch (error) {
    assert.ok(error instanceof JobError, String(error));
    return error;
  }
  assert.fail("the function travelled");
}

describe("a function that cannot travel is refused before anything is sent", () => {
  it("when it captures a local variable: the error names it, the function, the place and a way out", async () => {
    const error = await refusal(captures.local());
    assert.equal(error.code, "captured-variable");
    assert.match(error.message, /^map captures the local variable `stopWords` .*captures\.ts:4:28\)/);
    assert.match(error.message, /> 4 \| {3}return \(word: string\) => stopWords\.has\(word\);\n {4}\| {28}\^{9}\n/);
    assert.match(error.hint ?? "", /params: \{ stopWords \}/);
  });

  it("when it captures several: the error names all of them at once", async () => {
    const error = await refusal(captures.locals());
    assert.match(error.message, /^map captures the local variables `factor` and `db` of what .*captures\.ts:51:29\)/);
    assert.match(
      error.hint ?? "",
      /Pass them in `params` \(`params: \{ factor, db \}`, then `params\.factor` in map\)/,
    );
  });

  it("when it captures what a block at the top level declares", async () => {
    const error = await refusal(captures.usesBlock);
    assert.match(error.message, /`inBlock`/);
  });

  it("when it uses `this` or `arguments` of a function around it, or a method uses `this`", async () => {
    assert.match((await refusal(captures.outerThis.call({ n: 1 }))).message, /`this`/);
    assert.match((await refusal(captures.outerArguments())).message, /`arguments`/);
    assert.match((await refusal(captures.methodThis.map)).message, /`this`/);
    assert.match((await refusal(captures.methodOfClass)).message, /`this`/);
  });

  it("but a method in params may use the `this` that it is called on", async () => {
    const { refs } = await shipFunctions([{ role: "params.map", fn: captures.methodThis.map }], { portable: false });
    assert.deepEqual(refs, [0]);
  });

  it("when it uses an object that belongs to this process", async () => {
    const error = await refusal(captures.usesDisco);
    assert.match(error.message, /`disco`, a Disco of this process/);
  });

  it("when a variable that is no data is assigned or changed by statements that stay behind", async () => {
    const reassigned = await refusal(captures.usesReassigned);
    assert.equal(reassigned.code, "reassigned-variable");
    assert.match(reassigned.message, /`handler`.*captures\.ts:29:/s);
    const mutated = await refusal(captures.usesMutated);
    assert.equal(mutated.code, "mutated-variable");
    assert.match(mutated.message, /`registry`/);
  });

  it("when it evaluates text in which any variable of its module can be used, itself or through another", async () => {
    for (const fn of [evals.evaluates, evals.through]) {
      const error = await refusal(fn);
      assert.equal(error.code, "unsupported-function");
      assert.match(error.message, /^map uses a direct `eval`.*evals\.ts:11:10\)/);
      assert.match(error.hint ?? "", /\(0, eval\)\(text\)/);
    }
  });

  it("when it is native or bound", async () => {
    for (const fn of [Math.max, String, captures.local.bind(null)]) {
      const error = await refusal(fn);
      assert.equal(error.code, "native-function");
      assert.match(error.hint ?? "", /arrow function/);
    }
  });

  it("when it has no file", async () => {
    const fn = new Function("line", "return [line]");
    assert.equal((await refusal(fn)).code, "unsupported-source");
  });
});
