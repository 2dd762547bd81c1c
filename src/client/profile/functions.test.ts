import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { CallTree, type Frame } from "../../worker/profile/call-tree.ts";
import { functionsOf, type ProfiledFunction } from "./functions.ts";
import { ProfileStats } from "./profile-stats.ts";

type Call = readonly [path: readonly Frame[], ms: number, line?: number];

const user = (name: string, line = 1): Frame => ({ name, url: "file:///job.ts", line, column: 1 });
const disco = (file: string, name = "f"): Frame => ({ name, url: `disco:${file}`, line: 1, column: 1 });
const node = (module: string): Frame => ({ name: "f", url: `node:${module}`, line: 1, column: 1 });
const native = (name: string): Frame => ({ name, url: "", line: 0, column: 0 });

function treeOf(...calls: readonly Call[]): CallTree {
  const tree = new CallTree();
  for (const [path, ms, line] of calls) {
    let at = 0;
    for (const frame of path) at = tree.child(at, frame);
    tree.add(at, ms * 1000, ms, line === undefined ? undefined : new Map([[line, ms]]));
  }
  return tree;
}

function tableOf(...calls: readonly Call[]): Map<string, ProfiledFunction> {
  return new Map(functionsOf(treeOf(...calls)).map((fn) => [fn.name, fn]));
}

const timesOf = (fn: ProfiledFunction | undefined) => fn && [fn.selfMs, fn.totalMs];

describe("the table by function", () => {
  it("has the time in a function, and with all that it called, over all of its callers", () => {
    const table = tableOf([[user("map"), user("parse")], 3], [[user("map")], 1], [[user("reduce"), user("parse")], 4]);
    assert.deepEqual(timesOf(table.get("parse")), [7, 7]);
    assert.deepEqual(timesOf(table.get("map")), [1, 4]);
    assert.deepEqual([table.get("map")?.selfShare, table.get("map")?.totalShare], [1 / 8, 4 / 8]);
    assert.deepEqual([table.get("map")?.file, table.get("map")?.line], ["/job.ts", 1]);
  });

  it("counts recursion once, also through others", () => {
    const [a, b] = [user("a"), user("b")];
    const table = tableOf([[a, b, a, a, b], 5], [[a], 1], [[b, a], 2]);
    assert.deepEqual(timesOf(table.get("a")), [3, 8]);
    assert.deepEqual(timesOf(table.get("b")), [5, 7]);
  });

  it("keeps functions of one name apart, and tells how much of a function each line took", () => {
    const functions = functionsOf(treeOf([[user("f", 1)], 1, 2], [[user("f", 1)], 3, 4], [[user("f", 9)], 5, 9]));
    assert.deepEqual(
      functions.map(({ line, lines }) => [line, lines]),
      [
        [
          1,
          [
            { line: 4, selfMs: 3 },
            { line: 2, selfMs: 1 },
          ],
        ],
        [9, [{ line: 9, selfMs: 5 }]],
      ],
    );
  });

  it("says what Disco did, with what served it, instead of in which of its functions", () => {
    const loop = disco("worker/map-loop.ts");
    const table = tableOf(
      [[loop], 1],
      [[loop, user("map")], 2],
      [[loop, disco("worker/storage/record-sorter.ts"), disco("protocol/value.ts"), native("copy")], 3],
      [[loop, disco("worker/storage/segment-file.ts"), node("fs"), native("writeSync")], 4],
      [[loop, disco("worker/streams/lines.ts")], 5],
      [[loop, disco("worker/streams/lines.ts"), disco("protocol/value.ts")], 6],
    );
    assert.deepEqual(timesOf(table.get("(disco) run")), [1, 21]);
    assert.deepEqual(timesOf(table.get("(disco) sort")), [3, 3]);
    assert.deepEqual(timesOf(table.get("(disco) write")), [4, 4]);
    assert.deepEqual(timesOf(table.get("(disco) read")), [11, 11]);
    assert.deepEqual(timesOf(table.get("map")), [2, 2]);
    assert.deepEqual([table.get("(disco) sort")?.file, table.get("(disco) sort")?.origin], [null, "disco"]);
    assert.equal(table.size, 5);
  });

  it("names what the user called of Node and of V8, and what nobody called", () => {
    const turn = node("internal/process/task_queues");
    const table = tableOf(
      [[turn, native("runMicrotasks"), user("map"), node("internal/fs/utils"), native("stat")], 1],
      [[turn, user("map"), native("stringify")], 2],
      [[native("(garbage collector)")], 3],
      [[native("(idle)")], 4],
      [[turn], 5],
    );
    assert.deepEqual(timesOf(table.get("(node) fs")), [1, 1]);
    assert.deepEqual(timesOf(table.get("(native) stringify")), [2, 2]);
    assert.deepEqual(timesOf(table.get("(garbage collector)")), [3, 3]);
    assert.deepEqual(timesOf(table.get("(idle)")), [4, 4]);
    assert.deepEqual(timesOf(table.get("(event loop)")), [5, 8]);
    assert.equal(table.size, 6);
  });

  it("knows what each of the worker's files is good for", () => {
    const src = join(import.meta.dirname, "..", "..");
    const files = globSync("{worker,schemes,shipping}/**/*.ts", { cwd: src }).filter(
      (file) => !/test|fixtures/.test(file),
    );
    assert.ok(files.length > 50);
    const table = tableOf(...files.map((file): Call => [[disco(file)], 1]));
    assert.equal(table.get("(disco) other"), undefined);
    for (const part of ["load", "read", "run", "sort", "group", "combine", "partition", "write", "profile"]) {
      assert.ok(table.has(`(disco) ${part}`), part);
    }
  });
});

describe("printStats", () => {
  const tree = treeOf(
    [[user("map"), user("parse", 7)], 1_500],
    [[user("map")], 40],
    [[native("(garbage collector)")], 3],
  );
  const stats = new ProfileStats({
    job: "words@1:2:3",
    stages: ["map", "reduce"],
    hosts: ["localhost"],
    tasks: 2,
    intervalMicros: 1_000,
    tree,
  });

  function printed(options: Parameters<ProfileStats["printStats"]>[0]): string[] {
    let text = "";
    assert.equal(stats.printStats({ ...options, stream: { write: (part: string) => (text += part) } }), stats);
    return text.split("\n");
  }

  it("prints self time first, in columns, with the file and line of what is the user's", () => {
    const lines = printed({});
    assert.equal(lines[0], "words@1:2:3: 2 tasks of map and reduce, 1.54 s in 1,543 samples");
    assert.match(lines[2] ?? "", /^ +self +total +function$/);
    assert.match(lines[3] ?? "", /^1\.50 s +97\.2 % +1\.50 s +97\.2 % +parse +\/job\.ts:7$/);
    assert.match(lines[4] ?? "", /^ +40 ms +2\.6 % +1\.54 s +99\.8 % +map +\/job\.ts:1$/);
    assert.match(lines[5] ?? "", /^3\.0 ms +0\.2 % +3\.0 ms +0\.2 % +\(garbage collector\)$/);
  });

  it("sorts by total time, and cuts the table, saying how much", () => {
    const lines = printed({ sort: "total", limit: 1 });
    assert.match(lines[3] ?? "", / map /);
    assert.equal(lines[4], "… 2 more");
    assert.equal(printed({ limit: Number.POSITIVE_INFINITY }).length, 7);
  });

  it("refuses other orders and limits", () => {
    assert.throws(() => stats.printStats({ sort: "name" as never }), {
      code: "bad-option",
      message: /"self" or "total"/,
    });
    assert.throws(() => stats.printStats({ limit: -1 }), { code: "bad-option" });
  });
});
