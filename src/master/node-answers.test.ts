import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Bench, joined } from "../core/testing.ts";
import type { Heartbeat } from "../protocol/messages.ts";
import { type NodeWatch, nodeInfos, removal } from "./node-answers.ts";
import type { NodeLink } from "./node-link.ts";

const heartbeat: Heartbeat = {
  host: "a",
  session: "s",
  epoch: 1,
  running: 0,
  diskFreeBytes: 10,
  diskUsedBytes: 20,
  memoryFreeBytes: 30,
  memoryTotalBytes: 40,
};
const watch: NodeWatch = {
  heartbeat: (host) => (host === "a" ? heartbeat : null),
  silentForMs: (host) => (host === "a" ? 1_200.4 : null),
};

describe("what is told of nodes", () => {
  it("is their state, and what their heartbeats said; who sends none is asked", async () => {
    const bench = new Bench([joined("a", { url: "http://a:8989" }), "b", "c"]);
    const { cluster } = bench.master;
    cluster.suspect("c", true);
    bench.handle({ kind: "node-draining", at: bench.at, host: "b" });
    const asked: string[] = [];
    const link = {
      state: async (host: string) => {
        asked.push(host);
        if (host === "c") throw new Error("no answer");
        return { host, running: [], diskFreeBytes: 1, diskUsedBytes: 2 };
      },
    } as unknown as NodeLink;
    const [a, b, c] = await nodeInfos(bench.master, link, watch);
    assert.deepEqual(asked, ["b", "c"]);
    assert.deepEqual(
      [a?.state, a?.url, a?.lastHeardMs, a?.diskFreeBytes, a?.memoryFreeBytes, a?.memoryTotalBytes],
      ["up", "http://a:8989", 1_200, 10, 30, 40],
    );
    assert.deepEqual([b?.state, b?.diskFreeBytes, b?.lastHeardMs], ["draining", 1, undefined]);
    assert.deepEqual([c?.state, c?.connected, c?.diskFreeBytes], ["suspect", true, 0]);
  });

  it("says whether a node can be taken away, and names the nodes where there is none of that name", () => {
    const bench = new Bench(["a"]);
    bench.handle({ kind: "node-draining", at: bench.at, host: "a" });
    assert.equal(removal(bench.master, "a").safe, true);
    assert.throws(() => removal(bench.master, "x"), { code: "unknown-node", hint: /a/ });
  });
});
