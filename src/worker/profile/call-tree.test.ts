import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { CallTree, type Frame } from "./call-tree.ts";
import { decodeProfile, encodeProfile } from "./stored-profile.ts";

const frame = (name: string, line = 1): Frame => ({ name, url: "file:///job.ts", line, column: 1 });

/** Adds a node for the path, with time and a sample at a line. */
function put(tree: CallTree, path: readonly string[], micros: number, line?: number): void {
  let node = 0;
  for (const name of path) node = tree.child(node, frame(name));
  tree.add(node, micros, 1, line === undefined ? undefined : new Map([[line, 1]]));
}

/** `a/b` to its time. */
function times(tree: CallTree): Map<string, number> {
  const paths: string[] = [];
  const found = new Map<string, number>();
  for (const [node, parent] of tree.parents.entries()) {
    paths[node] = parent < 0 ? "" : `${paths[parent]}/${tree.frame(node).name}`;
    found.set(paths[node], tree.selfMicros[node] as number);
  }
  return found;
}

const ordered = (map: Map<string, number>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, n) => total + n, 0);

const anyPath = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 8 });
const anyCalls = fc.array(fc.tuple(anyPath, fc.integer({ min: 0, max: 1_000 })), { maxLength: 60 });

function treeOf(calls: readonly (readonly [string[], number])[], nodesMax?: number): CallTree {
  const tree = new CallTree(nodesMax);
  for (const [path, micros] of calls) put(tree, path, micros, micros % 7 || undefined);
  return tree;
}

describe("a call tree", () => {
  it("adds up what was called along the same path, and keeps other paths apart", () => {
    const tree = new CallTree();
    put(tree, ["map", "split"], 3);
    put(tree, ["map"], 1);
    const other = new CallTree();
    put(other, ["map", "split"], 4, 7);
    put(other, ["reduce", "split"], 5, 7);
    tree.merge(other);
    assert.deepEqual(
      times(tree),
      new Map([
        ["", 0],
        ["/map", 1],
        ["/map/split", 7],
        ["/reduce", 0],
        ["/reduce/split", 5],
      ]),
    );
    assert.deepEqual(tree.lines[2], new Map([[7, 1]]));
    assert.equal(tree.totals()[0], 13);
  });

  it("keeps functions of one name apart by their place", () => {
    const tree = new CallTree();
    tree.add(tree.child(0, frame("", 1)), 1, 1);
    tree.add(tree.child(0, frame("", 2)), 1, 1);
    assert.equal(tree.size, 3);
  });

  it("that grows too large loses its lightest calls to (other), where they were, and no time", () => {
    const tree = new CallTree(8);
    put(tree, ["map"], 1_000);
    put(tree, ["map", "heavy"], 500);
    for (let i = 0; i < 10; i++) put(tree, ["map", "heavy", `light${i}`], 10 + i);
    tree.shrink();
    assert.ok(tree.size <= 8);
    const left = times(tree);
    assert.equal(left.get("/map"), 1_000);
    assert.equal(left.get("/map/heavy"), 500);
    assert.equal(sum(left.values()), 1_500 + sum(Array.from({ length: 10 }, (_, i) => 10 + i)));
    assert.ok((left.get("/map/heavy/(other)") ?? 0) > 0);
  });

  it("merged from any trees has all of their time, is within its size, and has parents before children", () => {
    fc.assert(
      fc.property(fc.array(anyCalls, { maxLength: 5 }), fc.integer({ min: 4, max: 40 }), (lists, nodesMax) => {
        const merged = new CallTree(nodesMax);
        for (const calls of lists) merged.merge(treeOf(calls));
        assert.equal(sum(merged.selfMicros), sum(lists.flat().map(([, micros]) => micros)));
        assert.equal(sum(merged.samples), lists.flat().length);
        assert.ok(merged.size <= nodesMax, `${merged.size} nodes`);
        for (const [node, parent] of merged.parents.entries()) assert.ok(parent < node);
        for (const [node, total] of merged.totals().entries()) {
          const parent = merged.parents[node] as number;
          if (parent >= 0) assert.ok(total <= (merged.totals()[parent] as number));
        }
      }),
    );
  });

  it("is the same after another order of merging, where nothing had to go", () => {
    fc.assert(
      fc.property(fc.array(anyCalls, { maxLength: 4 }), (lists) => {
        const there = new CallTree();
        const back = new CallTree();
        for (const calls of lists) there.merge(treeOf(calls));
        for (const calls of lists.toReversed()) back.merge(treeOf(calls));
        assert.deepEqual(ordered(times(there)), ordered(times(back)));
      }),
    );
  });
});

describe("a stored profile", () => {
  const info = { stage: "map", task: 3, host: "localhost", intervalMicros: 1_000 };

  it("is read as it was written", () => {
    fc.assert(
      fc.property(anyCalls, (calls) => {
        const tree = treeOf(calls);
        const { tree: read, ...rest } = decodeProfile(encodeProfile(tree, info), "profile-map-3");
        assert.deepEqual(rest, info);
        for (const column of ["parents", "selfMicros", "samples", "lines"] as const) {
          assert.deepEqual(read[column], tree[column]);
        }
        for (let node = 0; node < tree.size; node++) assert.deepEqual(read.frame(node), tree.frame(node));
      }),
    );
  });

  it("that is damaged, cut off or something else is refused, naming its key", () => {
    const bytes = encodeProfile(treeOf([[["map"], 5]]), info);
    const refused = (wrong: Uint8Array): void => {
      assert.throws(() => decodeProfile(wrong, "profile-map-3"), { code: "bad-profile", message: /profile-map-3/ });
    };
    refused(new Uint8Array());
    refused(Buffer.from("hello"));
    refused(bytes.subarray(0, bytes.length - 9));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const wrong = Uint8Array.from(bytes);
        wrong[at] = (wrong[at] as number) ^ flip;
        // A few bits are no part of the profile: time, system and hints in the head of the compression, and what fills up the
        // last byte before its checksum. Whatever is not refused says the same.
        let decoded: unknown;
        try {
          decoded = decodeProfile(wrong, "profile-map-3");
        } catch {
          refused(wrong);
          return;
        }
        assert.deepEqual(decoded, decodeProfile(bytes, "profile-map-3"));
      }),
    );
  });
});
