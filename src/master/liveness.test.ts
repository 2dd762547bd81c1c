/** Suspicion, death and admission of nodes, on a clock of the test's own. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { toJsonBytes } from "../bus/json.ts";
import { MemoryBus } from "../bus/memory.ts";
import type { NodeHello } from "../protocol/messages.ts";
import { Liveness } from "./liveness.ts";

class BreakableBus extends MemoryBus {
  override connected = true;
}

class Bench {
  readonly bus = new BreakableBus();
  readonly told: string[] = [];
  readonly nodes = new Map<string, { incarnation: string; connected: boolean }>();
  now = 0;
  readonly liveness: Liveness;

  constructor(connected: readonly string[] = []) {
    for (const host of connected) this.nodes.set(host, { incarnation: "disk", connected: true });
    this.liveness = new Liveness({
      bus: this.bus,
      clock: () => this.now,
      node: (host) => this.nodes.get(host),
      connected: () => [...this.nodes].flatMap(([host, node]) => (node.connected ? [host] : [])),
      suspect: (host, suspected) => this.told.push(`${suspected ? "suspect" : "trust"} ${host}`),
      lose: (host, reason) => {
        this.told.push(`lose ${host}: ${reason}`);
        this.nodes.set(host, { incarnation: "disk", connected: false });
      },
      rejoin: (host) => this.told.push(`rejoin ${host}`),
    });
  }

  /** Lets time pass as it does, with a look each 300 ms. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 300);
      this.liveness.look();
    }
  }

  hello(session: string, incarnation = "disk"): NodeHello {
    return { host: "n", incarnation, session, slots: 1, queueDepth: 1, labels: {}, attempts: [] };
  }

  join(session: string, incarnation = "disk"): void {
    const hello = this.hello(session, incarnation);
    this.liveness.admit(hello);
    this.nodes.set("n", { incarnation, connected: true });
    this.liveness.joined(hello);
  }

  async beat(session: string): Promise<void> {
    this.bus.publish("heartbeat.n", toJsonBytes({ host: "n", session }));
    await Promise.resolve();
    await Promise.resolve();
  }

  take(): string[] {
    return this.told.splice(0);
  }
}

describe("liveness of nodes", () => {
  let bench: Bench | null = null;
  const open = (connected?: readonly string[]): Bench => (bench = new Bench(connected));
  afterEach(() => bench?.liveness.close());

  it("suspects a node after 3 s of silence, takes it back with its next word, and gives it up after 15 s", async () => {
    const one = open();
    one.join("s");
    one.take();
    one.pass(2_900);
    assert.deepEqual(one.take(), []);
    one.pass(300);
    assert.deepEqual(one.take(), ["suspect n"]);
    await one.beat("s");
    assert.deepEqual(one.take(), ["trust n"]);
    one.pass(15_000);
    assert.deepEqual(one.take(), ["suspect n", "trust n", "lose n: it was not heard for 15 s"]);
    await one.beat("s");
    assert.deepEqual(one.take(), ["rejoin n"]);
  });

  it("suspects a node that does not answer, but not for what was asked of an earlier start of it", () => {
    const one = open();
    one.join("before");
    assert.equal(one.liveness.session("n"), "before");
    one.pass(3_100);
    one.join("now");
    one.take();
    one.liveness.silent("n", "before");
    assert.deepEqual(one.take(), []);
    one.liveness.silent("n", "now");
    assert.deepEqual(one.take(), ["suspect n"]);
    assert.equal(one.liveness.session("unknown"), null);
    one.liveness.silent("unknown", null);
    assert.deepEqual(one.take(), []);
  });

  it("counts nothing against nodes while the master itself stood still", () => {
    const one = open();
    one.join("s");
    one.take();
    one.now += 60_000;
    one.liveness.look();
    one.pass(2_400);
    assert.deepEqual(one.take(), []);
  });

  it("counts nothing against nodes while the way to the bus is broken, and goes on counting afterwards", () => {
    const one = open(["m"]);
    one.join("s");
    one.pass(900);
    one.take();
    one.bus.connected = false;
    one.pass(60_000);
    assert.deepEqual(one.take(), []);
    one.bus.connected = true;
    one.pass(1_800);
    assert.deepEqual(one.take(), []);
    one.pass(300);
    assert.deepEqual(one.take(), ["suspect n"]);
    one.pass(12_000);
    assert.match(one.take().join(), /lose m: it did not join .*,lose n: it was not heard for 15 s$/);
  });

  it("gives nothing to nodes of before until they join, and gives up those that do not", async () => {
    const one = open(["n", "m"]);
    assert.deepEqual(one.take(), ["suspect n", "suspect m"]);
    await one.beat("s");
    assert.deepEqual(one.take(), []);
    one.join("s");
    assert.deepEqual(one.take(), ["trust n"]);
    for (let second = 0; second < 15; second++) {
      one.pass(1_000);
      await one.beat("s");
    }
    assert.deepEqual(one.take(), ["trust m", "lose m: it did not join after a change of master for 15 s"]);
  });

  it("hears of several processes with one name only the one that was let in", async () => {
    const one = open();
    one.join("s");
    assert.throws(() => one.liveness.admit(one.hello("other")), { code: "name-taken" });
    assert.throws(() => one.liveness.admit(one.hello("other", "empty")), { code: "name-taken" });
    one.take();
    for (let second = 0; second < 4; second++) {
      one.pass(900);
      await one.beat("other");
    }
    assert.deepEqual(one.take(), ["suspect n"]);
    // A restart on the same disk; one with another disk waits until this one is dead.
    assert.throws(() => one.liveness.admit(one.hello("other", "empty")), { code: "name-taken" });
    one.join("other");
    assert.deepEqual(one.take(), ["trust n"]);
  });

  it("lets a node of another disk in when the one of that name has said goodbye", () => {
    const one = open();
    one.join("s");
    one.take();
    one.liveness.left("n", "a session of before");
    assert.deepEqual(one.take(), []);
    one.liveness.left("n", "s");
    assert.deepEqual(one.take(), ["trust n", "lose n: it was stopped"]);
    one.join("other", "empty");
  });

  it("refuses nodes of another series of versions", () => {
    const one = open();
    assert.throws(() => one.liveness.admit({ ...one.hello("s"), version: "99.0.0" }), { code: "version-mismatch" });
  });
});
