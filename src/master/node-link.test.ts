/** Assignments on their way to a node that does not answer, and clearing up while the bus is broken. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryBus } from "../bus/memory.ts";
import { CommError } from "../errors.ts";
import type { Assignment } from "../protocol/messages.ts";
import { NodeLink } from "./node-link.ts";

/** It fails requests as it is told, before it passes any on. */
class FailingBus extends MemoryBus {
  override connected = true;
  readonly asked: string[] = [];
  fail: (() => CommError | null) | null = null;

  override request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    this.asked.push(Buffer.from(bytes).toString());
    const error = this.fail?.() ?? null;
    return error === null ? super.request(subject, bytes, timeoutMs) : Promise.reject(error);
  }
}

const away = (): CommError => new CommError("nobody is there", { code: "no-responder" });
const broken = (): CommError => new CommError("it broke", { code: "bus-broken" });

function assignment(task: number): Assignment {
  const input = { kind: "inputs", inputs: [] } as const;
  const what = {
    stageName: "map",
    group: { label: null, host: null },
    input,
    taskTimeoutMs: null,
    memoryLimitBytes: 1,
  };
  return { job: "job@1:2:3", stage: 0, task, attempt: 0, epoch: 1, ...what };
}

describe("assignments to a node", () => {
  it("that was lost while it was asked again, and is back, gets what is live still, and nothing else", async () => {
    const bus = new FailingBus();
    const got: number[] = [];
    bus.serve("node.n.assign", (bytes) => {
      const { assignments } = JSON.parse(Buffer.from(bytes).toString()) as { assignments: Assignment[] };
      got.push(...assignments.map(({ task }) => task));
      return undefined;
    });
    const live = new Set([1, 2]);
    bus.fail = () => {
      if (bus.asked.length > 1) return null;
      live.delete(1);
      return away();
    };
    const link = new NodeLink(bus, { tryMs: 50, assignPatienceMs: 60_000 });
    await link.assign("n", 1, [assignment(1), assignment(2)], ({ task }) => live.has(task));
    assert.deepEqual(got, [2]);
  });

  it("none of which is live any more, fail without being a failure of the node", async () => {
    const bus = new FailingBus();
    let live = true;
    bus.fail = () => {
      live = false;
      return away();
    };
    const link = new NodeLink(bus, { tryMs: 50, assignPatienceMs: 1 });
    await link.assign("n", 1, [assignment(1)], () => live);
    await link.assign("n", 1, [assignment(1)], () => live);
    assert.equal(bus.asked.length, 1);
  });

  it("wait as long as the master's own way to the bus is broken, which is nobody's silence", async () => {
    const bus = new FailingBus();
    bus.serve("node.n.assign", () => undefined);
    const silent: string[] = [];
    bus.connected = false;
    bus.fail = () => {
      if (bus.asked.length < 4) return broken();
      bus.connected = true;
      return null;
    };
    // The patience is over several times meanwhile.
    const link = new NodeLink(bus, { tryMs: 50, assignPatienceMs: 100, silent: (host) => silent.push(host) });
    await link.assign("n", 1, [assignment(1)]);
    assert.deepEqual([bus.asked.length, silent], [4, []]);
  });

  it("fail where the node is gone, and the start of it that was asked is told of as silent", async () => {
    const bus = new FailingBus();
    const silent: string[] = [];
    // It starts anew while it is asked.
    let session = "before";
    bus.fail = () => {
      session = "after";
      return null;
    };
    const link = new NodeLink(bus, {
      tryMs: 50,
      assignPatienceMs: 250,
      session: () => session,
      silent: (...of) => silent.push(of.join(" ")),
    });
    await assert.rejects(link.assign("n", 1, [assignment(1)]), { code: "no-responder" });
    assert.deepEqual(silent, ["n before"]);
  });
});

describe("clearing up at a node", () => {
  it("is asked for again when the bus broke, and not when the node is gone", async () => {
    const bus = new FailingBus();
    bus.serve("node.n.drop-files", () => undefined);
    bus.fail = () => (bus.asked.length === 1 ? broken() : null);
    const link = new NodeLink(bus);
    await link.dropFiles("n", "job@1:2:3", "all");
    assert.equal(bus.asked.length, 2);
    await assert.rejects(link.dropFiles("gone", "job@1:2:3", "all"), { code: "no-responder" });
  });
});
