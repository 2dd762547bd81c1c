import assert from "node:assert/strict";
import { test } from "node:test";
import { Chores } from "./chores.ts";

test("a job is settled when all that is under way for it is done, whatever was added meanwhile, and however it ends", async () => {
  const chores = new Chores();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  chores.add("a", first.promise);
  chores.add("b", new Promise(() => undefined));
  let isSettled = false;
  const settled = chores.settled("a").then(() => (isSettled = true));
  chores.add("a", second.promise);
  first.reject(new Error("no answer"));
  await new Promise(setImmediate);
  assert.equal(isSettled, false);
  second.resolve();
  await settled;
  await chores.settled("unknown");
  assert.equal(chores.idle, false);
});

test("nobody waits longer than its patience, for one job or for all", { timeout: 10_000 }, async () => {
  const chores = new Chores();
  chores.add("a", new Promise(() => undefined));
  await chores.settled("a", 5);
  await chores.allSettled(5);
  assert.equal(chores.idle, false);
});
