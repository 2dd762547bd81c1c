import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ProfiledCode } from "./call-frames.ts";
import type { CallTree } from "./call-tree.ts";
import { recorder } from "./recorder.ts";
import { decodeProfile } from "./stored-profile.ts";
import { TaskProfile } from "./task-profile.ts";

/** Long enough for some samples on a busy machine. */
const spinMs = 60;

const source = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
const lineOf = (text: string): number => source.findIndex((line) => line.startsWith(text)) + 1;

function untilTimeIsUp(ms: number): number {
  const end = performance.now() + ms;
  let turns = 0;
  while (performance.now() < end) turns++;
  return turns;
}
const before = (): number => untilTimeIsUp(spinMs);
const within = (): number => untilTimeIsUp(spinMs);
const after = (): number => untilTimeIsUp(spinMs);

/** Code that needs no translation; only its function has another name in the job. */
const code: ProfiledCode = {
  originalStart: (place) => place,
  originalLine: (_url, line) => line,
  names: new Map([[within, "the map"]]),
};

function treeOf(profile: TaskProfile): CallTree {
  return decodeProfile(profile.finish({ stage: "map", task: 0, host: "localhost" }), "profile-map-0").tree;
}

/** Time of a function with what it called, in ms. */
function totalMs(tree: CallTree, name: string): number {
  const totals = tree.totals();
  return totals.reduce((sum, total, node) => (tree.frame(node).name === name ? sum + total / 1000 : sum), 0);
}

describe("the profile of a task", () => {
  it("has what ran between its begin and its end, and nothing of before or after", () => {
    before();
    for (const turn of [1, 2]) {
      const profile = new TaskProfile();
      profile.loaded(code);
      within();
      const tree = treeOf(profile);
      after();
      assert.ok(totalMs(tree, "the map") >= spinMs / 2, `turn ${turn}: ${totalMs(tree, "the map")} ms`);
      assert.ok(totalMs(tree, "the map") <= spinMs * 20);
      assert.equal(totalMs(tree, "before") + totalMs(tree, "after"), 0);
    }
  });

  it("knows job functions by the names that they have in the job, and others by their own", () => {
    const profile = new TaskProfile();
    profile.loaded(code);
    within();
    const tree = treeOf(profile);
    const named = tree.frames.find(({ name }) => name === "the map");
    assert.equal(named?.line, lineOf("const within"));
    assert.equal(named?.url, "disco:worker/profile/task-profile.test.ts");
    const called = tree.frames.find(({ name }) => name === "untilTimeIsUp");
    assert.equal(called?.line, lineOf("function untilTimeIsUp"));
    assert.ok(!tree.frames.some(({ name }) => name === "within"));
  });

  it("is recorded in pieces when it is long, and has the time of all of them", () => {
    const profile = new TaskProfile(10);
    profile.loaded(code);
    for (let i = 0; i < 4; i++) {
      within();
      profile.beat();
    }
    const tree = treeOf(profile);
    assert.ok(totalMs(tree, "the map") >= 4 * (spinMs / 2), `${totalMs(tree, "the map")} ms`);
    const nodes = tree.frameOf.filter((frame) => tree.frames[frame]?.name === "the map");
    assert.ok(nodes.length >= 1);
    assert.equal(new Set(tree.frames.map(({ name, url, line }) => `${name} ${url} ${line}`)).size, tree.frames.length);
  });

  it("is forgotten when the task failed, and the next one begins anew", () => {
    const failed = new TaskProfile();
    failed.loaded(code);
    before();
    failed.stop();
    assert.equal(recorder.end(), null, "nothing is recorded any more");
    const profile = new TaskProfile();
    profile.loaded(code);
    within();
    const tree = treeOf(profile);
    assert.equal(totalMs(tree, "before"), 0);
    assert.ok(totalMs(tree, "the map") > 0);
    profile.stop();
  });

  it("of a task that fails before its functions are loaded ends as well", () => {
    const profile = new TaskProfile();
    profile.beat();
    profile.stop();
    assert.equal(recorder.end(), null);
  });
});
