import assert from "node:assert/strict";
import { Session } from "node:inspector";
import { describe, it } from "node:test";
import { shipFunctions } from "../shipping/ship.ts";
import { callingScripts } from "./calling-scripts.ts";

const map = (line: string): string => line.trim();

/** What is asked of V8's inspector meanwhile. */
async function questions(work: () => Promise<unknown>): Promise<string[]> {
  const asked: string[] = [];
  const { post } = Session.prototype;
  Session.prototype.post = function (this: Session, method: string, ...rest: unknown[]) {
    asked.push(method);
    return Reflect.apply(post, this, [method, ...rest]);
  } as typeof post;
  try {
    await work();
  } finally {
    Session.prototype.post = post;
  }
  return asked;
}

describe("the scripts that lead to a call", () => {
  it("are named as they were loaded, by V8's ids", () => {
    const scripts = callingScripts();
    assert.ok([...scripts.values()].includes(import.meta.url));
    assert.ok(![...scripts.values()].includes(""));
  });

  it("spare shipping a search for the script of a function that stands in one of them", async () => {
    const scripts = callingScripts();
    const asked = await questions(() => shipFunctions([{ role: "map", fn: map }], { portable: false, scripts }));
    assert.ok(asked.length > 0);
    assert.deepEqual(
      asked.filter((method) => !method.startsWith("Runtime.")),
      [],
    );
  });
});
