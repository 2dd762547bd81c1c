import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bareShare, kinds, type Profile, sharesOf } from "./profile-shares.ts";

type Call = readonly [name: string, url: string, micros: number, ...below: Call[]];

/** A profile with one sample for each call. */
function profile(...calls: Call[]): Profile {
  const nodes: Profile["nodes"][number][] = [];
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  const add = ([functionName, url, micros, ...below]: Call): number => {
    const id = nodes.length + 1;
    const children: number[] = [];
    nodes.push({ id, callFrame: { functionName, url }, children });
    samples.push(id);
    timeDeltas.push(micros);
    for (const call of below) children.push(add(call));
    return id;
  };
  add(["(root)", "", 0, ...calls]);
  return { nodes, samples, timeDeltas };
}

const map = "file:///job.ts";
const loop = "disco:worker/map-loop.ts";

describe("the shares of a profile", () => {
  it("are of what is on top, natives with their callers, whoever called those", () => {
    const shares = sharesOf(
      profile([
        "mapAll",
        loop,
        10,
        ["map", map, 20, ["split", "", 5], ["emit", "disco:worker/emit.ts", 7, ["hash", "", 3], ["add", map, 15]]],
        ["push", "disco:worker/streams/lines.ts", 4, ["toString", "node:buffer", 3, ["latin1Slice", "", 3]]],
        ["chunks", "disco:schemes/file.ts", 1, ["readSync", "node:fs", 1, ["read", "", 8]]],
        ["append", "disco:worker/storage/task-writer.ts", 5, ["writeSync", "node:internal/fs/utils", 5]],
        ["get", "disco:worker/key-buffer.ts", 10],
      ]),
    );
    assert.deepEqual(shares, {
      user: 0.5,
      lines: 0.1,
      io: 0.15,
      collector: 0,
      native: 0,
      loading: 0,
      engine: 0.25,
    });
    assert.equal(bareShare(shares), 0.75);
  });

  it("leave out waiting, and tell collecting garbage and loading from the rest", () => {
    const shares = sharesOf(
      profile(
        ["(idle)", "", 900],
        ["(garbage collector)", "", 30],
        ["(program)", "", 10],
        [
          "loadCode",
          "disco:shipping/load.ts",
          10,
          ["readFileSync", "node:fs", 10],
          ["open", "disco:schemes/file.ts", 10],
        ],
        ["map", map, 30],
      ),
    );
    assert.equal(shares.collector, 0.3);
    assert.equal(shares.native, 0.1);
    assert.equal(shares.loading, 0.3);
    assert.equal(shares.user, 0.3);
    assert.ok(Math.abs(kinds.reduce((sum, kind) => sum + shares[kind], 0) - 1) < 1e-9);
  });

  it("are none of a profile without samples", () => {
    assert.throws(() => sharesOf(profile(["(idle)", "", 5])), RangeError);
  });
});
