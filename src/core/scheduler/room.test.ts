import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { byLoad, Cluster } from "./cluster.ts";

/** What happens to a node: its number of slots changes, an attempt begins or ends there, it goes silent or is heard. */
const change = fc.record({
  host: fc.constantFrom("a", "b", "c", "d", "e"),
  what: fc.constantFrom("occupy", "occupy", "occupy", "release", "slots", "silent", "heard"),
  slots: fc.integer({ min: 0, max: 4 }),
});

describe("the nodes with room", () => {
  it("are in the order of their loads, whatever happened to them", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const cluster = new Cluster();
        for (const host of ["a", "b", "c", "d", "e"])
          cluster.add({
            ...{ host, incarnation: "1", slots: 2, offered: 2, resized: false, queueDepth: 2, labels: {}, url: null },
            ...{ session: null, connected: true, draining: false, health: null },
            ...{ load: 0, tasksOk: 0, tasksFailed: 0, dataErrors: 0 },
          });
        for (const { host, what, slots } of changes) {
          const node = cluster.node(host);
          assert.ok(node !== undefined);
          if (what === "occupy") cluster.occupy(host);
          else if (what === "release" && node.load > 0) cluster.release(host);
          else if (what === "slots") {
            node.offered = slots;
            cluster.resize(node);
          } else cluster.suspect(host, what === "silent");
          const expected = [...cluster.nodes.values()].filter(
            (one) => cluster.open(one) && one.load < one.slots * one.queueDepth,
          );
          assert.deepEqual(
            cluster.withRoom().map((one) => one.host),
            expected.sort(byLoad).map((one) => one.host),
          );
          for (const one of cluster.nodes.values()) assert.equal(cluster.hasRoom(one), expected.includes(one));
        }
      }),
      { numRuns: 200 },
    );
  });
});
