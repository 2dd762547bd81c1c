import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
});
