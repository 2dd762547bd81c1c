import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MasterInfo, NodeInfo } from "../../../client/master-api.ts";
import { checkCluster } from "./cluster.ts";

const journal = { engine: "nats", durable: "process-crash", replicas: 3, version: "2.9.10" } as const;
const info = { role: "leads", leader: "http://a:8989", ageMs: 0, journal } as unknown as MasterInfo;

function found(changes: Partial<MasterInfo>, nodes: readonly Partial<NodeInfo>[] = []): string[] {
  const findings = checkCluster({ info: { ...info, ...changes }, nodes: nodes as readonly NodeInfo[] });
  return findings.map(({ check, state, message }) => `${check} ${state}: ${message}`);
}

describe("a cluster", () => {
  it("is looked at where there is one", () => {
    const { role: _, ...single } = info;
    assert.deepEqual(checkCluster({ info: single, nodes: [] }), []);
  });

  it("says who leads, and what its journal survives", () => {
    assert.deepEqual(found({}), [
      "leader ok: this master leads",
      "journal ok: the journal is in nats 2.9.10: what it has accepted survives the end of its processes, not a loss of power of all its servers at once (process-crash)",
    ]);
    const [leader] = found({ role: "follows" });
    assert.equal(leader, "leader ok: the master at http://a:8989 leads, this one follows it");
  });

  it("is not well without a leader, late, with few copies, or on an engine that ignores what it is told", () => {
    const notes = ["the server ignores message time-outs"];
    const findings = found({
      role: "follows",
      leader: null,
      ageMs: 9_400,
      journal: { ...journal, replicas: 1, notes },
    });
    assert.deepEqual(
      findings.filter((line) => !line.startsWith("journal")),
      [
        "leader fail: no master leads",
        "age warn: what this master tells is 9 s old",
        "replicas warn: the journal has one copy: the loss of a server can end the cluster",
        "engine warn: the server ignores message time-outs",
      ],
    );
    const postgres = { engine: "postgres", durable: "fsync" } as const;
    assert.ok(!found({ journal: postgres }).some((line) => line.startsWith("replicas")));
  });

  it("names the nodes that get no tasks, and why", () => {
    const nodes: Partial<NodeInfo>[] = [
      { name: "a", state: "up" },
      { name: "b", state: "suspect", lastHeardMs: 4_200 },
      { name: "c", state: "quarantined", reason: "8 of 8 tasks failed" },
      { name: "d", state: "draining" },
    ];
    assert.deepEqual(found({}, nodes).slice(2), [
      "node warn: node b has not been heard for 4 s",
      "node warn: node c is in quarantine: 8 of 8 tasks failed",
      "node ok: node d is being drained",
    ]);
  });
});
