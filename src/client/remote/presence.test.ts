import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { watchPresence } from "./presence.ts";

describe("the presence of a master that was asked", () => {
  it("is given up after two looks in a row that fail, and no sooner", async () => {
    const answers = [true, false, true, true, false, false];
    let looks = 0;
    await new Promise<void>((resolve) => {
      watchPresence(
        async () => answers[looks++] ?? assert.fail("it was given up already"),
        () => resolve(),
        1,
      );
      // The watch itself keeps nothing alive.
      const alive = setInterval(() => undefined, 1_000);
      setTimeout(() => clearInterval(alive), 5_000).unref();
    });
    assert.equal(looks, answers.length);
  });

  it("is nobody's concern after the answer", async () => {
    const over = Promise.withResolvers<boolean>();
    const looked = Promise.withResolvers<void>();
    const end = watchPresence(
      () => {
        looked.resolve();
        return over.promise;
      },
      () => assert.fail("it was given up"),
      1,
    );
    const alive = setInterval(() => undefined, 1_000);
    await looked.promise;
    end();
    over.resolve(false);
    await new Promise((resolve) => setImmediate(resolve));
    clearInterval(alive);
  });
});
