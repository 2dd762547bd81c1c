import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OrderedOutput } from "./ordered-output.ts";

const large = 1 << 20;

test("what comes in any order is printed in the order of the places, as soon as that is known", async () => {
  const step = fc.record({ place: fc.nat(4), text: fc.string({ minLength: 1, maxLength: 3 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step), fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), async (steps, ends) => {
      let printed = "";
      const output = new OrderedOutput(async (text) => void (printed += text));
      const wanted = ["", "", "", "", ""];
      for (const { place, text } of steps) {
        wanted[place] += text;
        await output.part(place).write(text);
        assert.ok(printed.startsWith(wanted[0] ?? ""), "the first place is printed at once");
      }
      for (const place of ends) {
        output.part(place);
        await output.end(place);
      }
      assert.equal(printed, wanted.join(""));
    }),
  );
});

test("a place behind waits when it has a megabyte, until those before it have ended", async () => {
  let printed = 0;
  const output = new OrderedOutput(async (text) => void (printed += text.length));
  output.part(0);
  let isWritten = false;
  const writing = output
    .part(1)
    .write("x".repeat(large + 1))
    .then(() => (isWritten = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([isWritten, printed], [false, 0]);
  await output.end(0);
  await writing;
  await output.part(1).write("y");
  await output.end(1);
  assert.equal(printed, large + 2);
});
