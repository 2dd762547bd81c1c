import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { MemoryBus } from "../bus/memory.ts";
import type { NodeHello } from "../protocol/messages.ts";
import { MasterLink } from "./master-link.ts";
import { Membership } from "./membership.ts";

describe("a node's membership", () => {
  it("asks again when the answer to its join is lost, with the attempts that it has then", async () => {
    const bus = new MemoryBus();
    const heard: number[] = [];
    bus.serve("master.m.join.*", (bytes) => {
      heard.push(fromJsonBytes<NodeHello>(bytes).attempts.length);
      // The bus delivers at most once, answers as well.
      return heard.length === 1 ? new Promise(() => undefined) : toJsonBytes({ epoch: 1, dataServers: {} });
    });
    const attempts = [{ job: "job@1:2:3", stage: 0, task: 0, attempt: 0 }];
    const joined = Promise.withResolvers<void>();
    const offer = { host: "n", incarnation: "disk", slots: 1, queueDepth: 1, labels: {} };
    const membership = new Membership({
      bus,
      master: new MasterLink(bus, "n"),
      session: "s",
      hello: async () => ({ ...offer, attempts: attempts.splice(0) }),
      joined: () => joined.resolve(),
      joinPatienceMs: 20,
    });
    membership.follow();
    const notice = toJsonBytes({ epoch: 1, instance: "m", url: "http://m", seq: 1, nodesVersion: 1 });
    const notices = setInterval(() => bus.publish("leader", notice), 5);
    try {
      await joined.promise;
    } finally {
      clearInterval(notices);
      membership.close();
    }
    assert.deepEqual(heard, [1, 0]);
  });

  it("learns of all nodes from each master anew, and knows them meanwhile by the one before", async () => {
    const bus = new MemoryBus();
    const other = { other: "http://other" };
    // Whoever has led for long knows all nodes; its successor has as many in its list when it is asked for that, and none before.
    for (const [instance, epoch, dataServers] of [
      ["first", 1, other],
      ["next", 2, {}],
    ] as const) {
      bus.serve(`master.${instance}.join.*`, () => toJsonBytes({ epoch, dataServers }));
    }
    const answers = [Promise.withResolvers<object>(), Promise.withResolvers<object>()];
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const [i, instance] of ["first", "next"].entries()) {
      bus.serve(`master.${instance}.nodes.*`, async () => {
        asked[i]?.resolve();
        return toJsonBytes(await answers[i]?.promise);
      });
    }
    let joined = Promise.withResolvers<void>();
    const offer = { host: "n", incarnation: "disk", slots: 1, queueDepth: 1, labels: {}, attempts: [] };
    const membership = new Membership({
      bus,
      master: new MasterLink(bus, "n"),
      session: "s",
      hello: async () => offer,
      joined: () => joined.resolve(),
    });
    membership.follow();
    let notice = { epoch: 1, instance: "first", url: "http://first", seq: 1, nodesVersion: 2 };
    const notices = setInterval(() => bus.publish("leader", toJsonBytes(notice)), 5);
    try {
      await joined.promise;
      await asked[0]?.promise;
      answers[0]?.resolve(other);
      joined = Promise.withResolvers();
      notice = { ...notice, epoch: 2, instance: "next", url: "http://next" };
      await joined.promise;
      assert.deepEqual({ ...membership.dataServers }, other);
      await asked[1]?.promise;
      answers[1]?.resolve({ n: "http://n", third: "http://third" });
      while (membership.dataServers["third"] === undefined) await turn();
      assert.deepEqual(Object.keys(membership.dataServers), ["n", "third"]);
    } finally {
      clearInterval(notices);
      membership.close();
    }
  });
});
