import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type GcView, type HostView, type ListedBlob, planGc } from "./gc.ts";
import { objectOf, parseBlobAddress } from "./names.ts";

const now = 10_000_000;
const graceMs = 1_000_000;
const old = objectOf("old", 1_000_000);
const young = objectOf("young", (now - 5) * 1000);

function file(object: string, storedAt = 1_000, volume = "vol0"): ListedBlob {
  return { object, volume, size: 10, storedAt, digest: "d" };
}

function address(host: string, volume: string, object: string): string {
  return `disco://${host}/ddfs/${volume}/blob/00/${object}`;
}

function view(
  named: Record<string, string[]>,
  listings: Record<string, ListedBlob[] | null>,
  more: { leaving?: string[]; replicas?: number; condemned?: string[] } = {},
): GcView {
  const { leaving = [], replicas = 2, condemned = [] } = more;
  const hosts = new Map<string, HostView>(
    Object.entries(listings).map(([host, files]) => [
      host,
      { files: files ?? [], isComplete: files !== null, isLeaving: leaving.includes(host) },
    ]),
  );
  const urls = Object.entries(named).map(
    ([object, on]) => [object, on.map((h) => address(h, "vol0", object))] as const,
  );
  return {
    named: new Map(urls),
    hosts,
    replicas,
    condemned: new Set(condemned),
    now,
    graceMs,
    since: 0,
    addressOf: address,
  };
}

describe("the plan of garbage collection", () => {
  it("condemns what no tag names and is old by name and by every file", () => {
    assert.deepEqual(
      planGc(view({}, { a: [file(old)], b: [file(old)] })).condemned.map(({ object, files }) => [object, files.length]),
      [[old, 2]],
    );
    assert.deepEqual(planGc(view({ [old]: ["a"] }, { a: [file(old)], b: [] })).condemned, []);
    assert.deepEqual(planGc(view({}, { a: [file(young)], b: [] })).condemned, []);
    assert.deepEqual(planGc(view({}, { a: [file(old)], b: [file(old, now - 5)] })).condemned, []);
    // A journal that is new says nothing of what the one before it named.
    assert.deepEqual(planGc({ ...view({}, { a: [file(old)] }), since: now - 5 }).condemned, []);
  });

  it("condemns nothing while a node has not listed, and says which; one that is being removed is not waited for (fault 60)", () => {
    const waits = planGc(view({}, { a: [file(old)], b: null }));
    assert.deepEqual([waits.condemned, waits.waitsFor], [[], ["b"]]);
    assert.equal(planGc(view({}, { a: [file(old)], b: null }, { leaving: ["b"] })).condemned.length, 1);
  });

  it("adds files that tags do not mention, and gives up mentions of files that are not there (GC4)", () => {
    const { changes, copies } = planGc(view({ [old]: ["a", "c"] }, { a: [file(old)], b: [file(old)], c: [] }));
    // What is mentioned and there is said again: a line of another tag may mention only what is given up.
    const add = ["b", "a"].map((host) => address(host, "vol0", old));
    assert.deepEqual(changes, [{ object: old, add, drop: [address("c", "vol0", old)] }]);
    assert.deepEqual(copies, []);
  });

  it("copies what has too few replicas, the rarest first, and not to whom has it (RR1)", () => {
    const other = objectOf("other", 1);
    const { copies } = planGc(
      view(
        { [old]: ["a", "b"], [other]: ["a"] },
        { a: [file(old), file(other)], b: [file(old)], c: [] },
        { replicas: 3 },
      ),
    );
    assert.deepEqual(
      copies.map(({ object, present, missing, taken }) => [object, present, missing, taken]),
      [
        [other, 1, 2, ["a"]],
        [old, 2, 1, ["a", "b"]],
      ],
    );
  });

  it("knows lost blobs from those that a node which is away may have", () => {
    const gone = planGc(view({ [old]: ["a"] }, { a: [], b: [] }));
    assert.deepEqual([gone.lost, gone.unseen, gone.changes], [[old], [], []]);
    const away = planGc(view({ [old]: ["a"] }, { a: null, b: [] }));
    assert.deepEqual([away.lost, away.unseen], [[], [old]]);
  });

  it("empties a leaving node only when others are proven, and says what still needs it", () => {
    const before = planGc(view({ [old]: ["a"] }, { a: [file(old)], b: [], c: [] }, { leaving: ["a"] }));
    assert.deepEqual(before.changes, []);
    assert.deepEqual([...before.needed], [["a", 1]]);
    assert.equal(before.copies[0]?.missing, 2);
    const after = planGc(
      view({ [old]: ["a"] }, { a: [file(old)], b: [file(old)], c: [file(old)] }, { leaving: ["a"] }),
    );
    assert.deepEqual(after.changes[0]?.drop, [address("a", "vol0", old)]);
    assert.deepEqual([...after.needed], []);
    // The tag of what was just stored there may be on its way.
    const pushed = planGc(view({}, { a: [file(young), file(old)], b: [] }, { leaving: ["a"] }));
    assert.deepEqual([[...pushed.needed], pushed.condemned.length], [[["a", 1]], 1]);
  });

  it("gives up files that no tag mentions beside K + 1 on other nodes, or K and one on the same; never what tags mention", () => {
    const listings = { a: [file(old), file(old, 1_000, "vol1")], b: [file(old)], c: [file(old)], d: [file(old)] };
    const places = (plan: ReturnType<typeof planGc>): string[] =>
      plan.surplus.map((one) => `${one.host}/${one.volume}`);
    assert.deepEqual(places(planGc(view({ [old]: ["a", "b", "c", "d"] }, listings))), ["a/vol1"]);
    assert.deepEqual(places(planGc(view({ [old]: ["a", "b", "c"] }, listings))), ["a/vol1", "d/vol0"]);
    const few = planGc(view({ [old]: ["a", "b"] }, listings));
    assert.deepEqual(places(few), ["a/vol1"]);
    assert.deepEqual(few.changes[0]?.add, [address("c", "vol0", old), address("d", "vol0", old)]);
    assert.deepEqual(places(planGc(view({ [old]: ["a"] }, listings))), []);
    const fresh = { ...listings, d: [file(old, now - 5)] };
    assert.deepEqual(places(planGc(view({ [old]: ["a", "b", "c"] }, fresh))), ["a/vol1"]);
  });

  it("keeps a blob condemned while anybody has it, or may have it", () => {
    const more = { condemned: [old] };
    const remaining = planGc(view({}, { a: [file(old)], b: [] }, more));
    assert.deepEqual([remaining.remains.length, remaining.gone, remaining.condemned], [1, [], []]);
    assert.deepEqual(planGc(view({}, { a: [], b: null }, more)).gone, []);
    assert.deepEqual(planGc(view({}, { a: [], b: [] }, more)).gone, [old]);
  });

  it("counts what a node has listed before a volume of it failed, and gives nothing up for what it has not", () => {
    const half = view({ [old]: ["a", "b"] }, { a: [file(old)], b: [], c: [] });
    const hosts = new Map(half.hosts).set("b", { files: [], isComplete: false, isLeaving: false });
    const plan = planGc({ ...half, hosts });
    assert.deepEqual([plan.changes, plan.copies.length, plan.waitsFor], [[], 1, ["b"]]);
  });

  it("asks for as many replicas as before while other nodes are away", () => {
    const away = { a: [file(old)], b: null, c: null, d: [file(old)] };
    const plan = planGc(view({ [old]: ["a", "d"] }, away, { leaving: ["d"] }));
    assert.deepEqual([plan.changes, [...plan.needed]], [[], [["d", 1]]]);
  });

  it("never condemns what is named, never drops the last proven replica, never copies to who has it", () => {
    const hostNames = ["a", "b", "c", "d"];
    const objects = [old, young, objectOf("x", 5), objectOf("y", 6)];
    const some = fc.subarray(hostNames);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...objects), some, some), { maxLength: 4 }),
        some,
        some,
        fc.integer({ min: 1, max: 4 }),
        (blobs, away, leaving, replicas) => {
          const named: Record<string, string[]> = {};
          const listings: Record<string, ListedBlob[] | null> = Object.fromEntries(hostNames.map((h) => [h, []]));
          for (const [object, inTag, on] of blobs) {
            if (inTag.length > 0) named[object] = inTag;
            for (const host of on) {
              const files = listings[host];
              if (files?.every((one) => one.object !== object)) files.push(file(object));
            }
          }
          for (const host of away) listings[host] = null;
          const plan = planGc(view(named, listings, { leaving, replicas }));
          for (const { object } of plan.condemned) assert.ok(!(object in named));
          const has = (host: string, object: string): boolean =>
            listings[host]?.some((one) => one.object === object) === true;
          for (const { object, drop } of plan.changes) {
            const left = hostNames.filter((h) => has(h, object) && !drop.includes(address(h, "vol0", object)));
            assert.ok(left.length >= 1, `${object} has a proven replica left`);
          }
          for (const { object, taken, sources } of plan.copies) {
            assert.ok(sources.length > 0);
            for (const url of sources) assert.ok(has(parseBlobAddress(url)?.host ?? "", object));
            for (const host of hostNames) if (has(host, object)) assert.ok(taken.includes(host));
          }
          for (const { object, host } of plan.surplus) {
            const left = hostNames.filter((h) => h !== host && has(h, object) && !leaving.includes(h));
            assert.ok(left.length >= replicas + 1, `${object} is there often enough without ${host}`);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
