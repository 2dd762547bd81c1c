import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { job } from "./fixtures/throws.ts";
import { loadCode } from "./load.ts";
import { shipFunctions } from "./ship.ts";

const file = fileURLToPath(new URL("./fixtures/throws.ts", import.meta.url));

async function failure(role: "map" | "reduce", argument: unknown) {
  const requests = [
    { role: "map", fn: job.map },
    { role: "reduce", fn: job.reduce },
  ];
  const { code, refs } = await shipFunctions(requests, { portable: false });
  const loaded = await loadCode(code);
  try {
    loaded.fn(refs[role === "map" ? 0 : 1] as number)(argument);
  } catch (error) {
    return loaded.translate(error);
  }
  assert.fail("nothing was thrown");
}

describe("an error from a worker", () => {
  it("has the user's file, line and column, and a frame of the source as the user wrote it", async () => {
    const { location, frame, stack } = await failure("map", "");
    assert.deepEqual(location, { file, line: 13, column: 31 });
    assert.match(
      frame ?? "",
      /> 13 \| {3}if \(line\.text === ""\) throw new TypeError\("an empty line"\);\n {5}\| {31}\^/,
    );
    assert.match(
      stack,
      /^TypeError: an empty line\n {4}at check \(.*fixtures\/throws\.ts:13:31\)\n {4}at map \(.*throws\.ts:9:26\)/,
    );
    assert.doesNotMatch(stack, /disco=|node:internal|stack\.test/);
  });

  it("has the right column on a line where two functions stand side by side", async () => {
    const { location, stack } = await failure("reduce", 0);
    assert.deepEqual(location, { file, line: 18, column: 39 });
    assert.match(stack, /at reduce \(.*throws\.ts:9:76\)/);
  });

  it("that is no Error is shown as what was thrown", async () => {
    const { code } = await shipFunctions([{ role: "map", fn: job.map }], { portable: false });
    const loaded = await loadCode(code);
    assert.deepEqual(loaded.translate("oops"), { stack: "thrown: oops", location: undefined, frame: undefined });
  });
});
