import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DiscoError } from "../errors.ts";
import { checkSpec } from "./spec-check.ts";

const good = {
  prefix: "job",
  owner: "me",
  inputs: [{ label: 0, size: 0, replicas: ["raw://x"], hosts: [null] }],
  pipeline: [{ name: "map", grouping: "split" }],
  scheduler: { maxCores: 1, forceLocal: false, forceRemote: false },
  retries: 3,
  taskTimeoutMs: null,
  memoryLimitBytes: 1024 ** 3,
  labels: {},
  keep: false,
};

test("a good specification passes as it is", () => {
  assert.equal(checkSpec(good), good);
});

const twice = [
  { name: "map", grouping: "split" },
  { name: "map", grouping: "split" },
];
for (const [title, change, words] of [
  ["no specification at all", null, /an object expected, null received/],
  ["a bad prefix", { prefix: "../x" }, /invalid prefix: "..\/x": 1 to 100 characters/],
  ["a prefix of 101 characters", { prefix: "x".repeat(101) }, /prefix/],
  ["inputs that are no list", { inputs: "x" }, /inputs: a list expected/],
  [
    "an input without an address",
    { inputs: [{ label: 0, size: 0, replicas: [], hosts: [] }] },
    /inputs\[0\]\.replicas/,
  ],
  [
    "hosts that do not fit the replicas",
    { inputs: [{ label: 0, size: 0, replicas: ["a"], hosts: [] }] },
    /inputs\[0\]\.hosts/,
  ],
  ["a negative label", { inputs: [{ label: -1, size: 0, replicas: ["a"], hosts: [null] }] }, /inputs\[0\]\.label/],
  ["no stages", { pipeline: [] }, /at least one stage/],
  ["two stages of one name", { pipeline: twice }, /two stages are called "map"/],
  ["an unknown grouping", { pipeline: [{ name: "map", grouping: "group" }] }, /pipeline\[0\]\.grouping: one of split/],
  ["a stage name with a dot", { pipeline: [{ name: "a.b", grouping: "split" }] }, /pipeline\[0\]\.name/],
  ["a stage name with a slash", { pipeline: [{ name: "a/b", grouping: "split" }] }, /pipeline\[0\]\.name/],
  ["a fractional number of retries", { retries: 1.5 }, /retries/],
  ["a time-out of nothing", { taskTimeoutMs: 0 }, /taskTimeoutMs/],
  ["too little memory", { memoryLimitBytes: 1000 }, /memoryLimitBytes/],
  ["both force options", { scheduler: { maxCores: 1, forceLocal: true, forceRemote: true } }, /exclude each other/],
  [
    "a stage of ours that does not wait",
    { pipeline: [{ name: "map", grouping: "split", concurrent: true }] },
    /concurrent/,
  ],
  ["a worker outside of the job's home", { worker: { path: "a/../../sh", packVersion: 2 } }, /worker\.path/],
  ["a worker of no known pack", { worker: { path: "bin/w", packVersion: 3 } }, /worker\.packVersion: 1 or 2/],
  ["a label that is no string", { labels: { gpu: 1 } }, /labels\.gpu/],
] as const) {
  test(`${title} is refused by name`, () => {
    assert.throws(() => checkSpec(change === null ? null : { ...good, ...change }), {
      code: "bad-jobpack",
      message: words,
    });
  });
}

test("whatever JSON comes, it passes or is refused; nothing else happens", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(good)), (value, key) => {
      try {
        checkSpec({ ...good, [key]: value });
      } catch (error) {
        assert.ok(error instanceof DiscoError);
      }
    }),
    { numRuns: 300 },
  );
});
