import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Place, placeReplicas } from "./placement.ts";

const places: Place[] = [
  { host: "big", freeBytes: 1000, takes: true },
  { host: "large", freeBytes: 900, takes: true },
  { host: "small", freeBytes: 100, takes: true },
  { host: "full", freeBytes: 1, takes: true },
  { host: "leaving", freeBytes: 5000, takes: false },
];

describe("the placement of replicas", () => {
  it("takes the nodes with most room, by turns where they are alike, and full ones last", () => {
    assert.deepEqual(placeReplicas(places, { replicas: 1, turn: 0, reserveBytes: 10 }), ["big"]);
    assert.deepEqual(placeReplicas(places, { replicas: 1, turn: 1, reserveBytes: 10 }), ["large"]);
    assert.deepEqual(placeReplicas(places, { replicas: 9, turn: 0, reserveBytes: 10 }), [
      "big",
      "large",
      "small",
      "full",
    ]);
  });

  it("obeys who is asked for and who is not wanted", () => {
    assert.deepEqual(placeReplicas(places, { replicas: 2, turn: 0, reserveBytes: 10, include: ["full"] }), [
      "full",
      "big",
    ]);
    assert.deepEqual(placeReplicas(places, { replicas: 1, turn: 0, reserveBytes: 10, include: ["leaving"] }), ["big"]);
    assert.deepEqual(placeReplicas(places, { replicas: 2, turn: 0, reserveBytes: 10, exclude: ["big"] }), [
      "large",
      "small",
    ]);
  });

  it("never gives a node two replicas, or one to a node that takes none", () => {
    const place = fc.record({
      host: fc.constantFrom("a", "b", "c", "d"),
      freeBytes: fc.nat(1000),
      takes: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(place, { selector: ({ host }) => host }),
        fc.nat(5),
        fc.subarray(["a", "b", "z"]),
        fc.subarray(["c", "d"]),
        fc.integer(),
        (all, replicas, include, exclude, turn) => {
          const hosts = placeReplicas(all, { replicas, include, exclude, turn, reserveBytes: 100 });
          assert.equal(new Set(hosts).size, hosts.length);
          const open = all.filter(({ host, takes }) => takes && !exclude.includes(host));
          for (const host of hosts) assert.ok(open.some((one) => one.host === host));
          const asked = include.filter((host) => open.some((one) => one.host === host)).length;
          assert.equal(hosts.length, Math.min(open.length, Math.max(replicas, asked)));
        },
      ),
    );
  });
});
