import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { Bus, BusHandler, BusListener } from "./bus.ts";
import { busContract } from "./contract.ts";
import { encodeFrame, frameMessageBytesMax } from "./frames.ts";
import { HubUnderTest, linked } from "./http.test-kit.ts";
import { HttpHub } from "./http-hub.ts";
import { HttpLink } from "./http-link.ts";

const patienceMs = 5_000;
const empty = new Uint8Array(0);
const bytes = (value: string): Uint8Array => Buffer.from(value, "utf8");
const text = (value: Uint8Array): string => Buffer.from(value).toString("utf8");

/** Both ends as one bus: served by the node, asked and published by the master. */
class BothEnds implements Bus {
  readonly #prefix = "node.alpha.";
  readonly #master: HubUnderTest;
  readonly #link: HttpLink;

  constructor(master: HubUnderTest, link: HttpLink) {
    this.#master = master;
    this.#link = link;
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  request(subject: string, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#untilTold(() => this.#master.hub.request(`${this.#prefix}${subject}`, message, timeoutMs));
  }

  publish(subject: string, message: Uint8Array): void {
    this.#master.hub.publish(`${this.#prefix}${subject}`, message);
  }

  serve(subject: string, handler: BusHandler): () => void {
    return this.#link.serve(`${this.#prefix}${subject}`, (message, full) =>
      handler(message, full.slice(this.#prefix.length)),
    );
  }

  subscribe(subject: string, listener: BusListener): () => void {
    return this.#link.subscribe(`${this.#prefix}${subject}`, (message, full) =>
      listener(message, full.slice(this.#prefix.length)),
    );
  }

  async close(): Promise<void> {
    await this.#link.close();
    await this.#master.kill();
  }

  /** What the node serves is known to the master a moment later: those who were told `no-responder` by then ask again. */
  async #untilTold<T>(ask: () => Promise<T>): Promise<T> {
    const first = ask();
    return first.catch(async (error: { code?: string }) => {
      if (error.code !== "no-responder") throw error;
      await linked(this.#master, this.#link, "alpha");
      return ask();
    });
  }
}

busContract("HTTP, from master to node", async () => {
  const master = await HubUnderTest.start();
  return new BothEnds(master, await master.link("alpha"));
});
busContract("HTTP, within a master", async () => new HttpHub({ leads: () => ({ epoch: 1 }), leader: () => null }));
busContract(
  "HTTP, within a node",
  async () => new HttpLink({ masters: ["http://127.0.0.1:1"], host: "a", session: "s" }),
);

describe("a node on the HTTP bus", () => {
  test("asks the master that leads, and hears its answers and its errors", async () => {
    const master = await HubUnderTest.start();
    const node = await master.link("node.one");
    master.hub.serve("master.m1.join.*", (message, subject) => bytes(`${subject} ${text(message)}`));
    master.hub.serve("master.m1.report.*", () => {
      throw new TypeError("x is not a function");
    });
    master.hub.serve("master.m1.oob.*", () => new Promise(() => undefined));
    const ask = (what: string, ms = patienceMs): Promise<Uint8Array> =>
      node.request(`master.m1.${what}.node=2eone`, bytes("hello"), ms);
    assert.equal(text(await ask("join")), "master.m1.join.node=2eone hello");
    await assert.rejects(ask("report"), { code: "remote-error", message: "x is not a function" });
    await assert.rejects(ask("nodes"), { code: "no-responder" });
    const held = setTimeout(() => undefined, patienceMs);
    await assert.rejects(ask("oob", 30), { code: "bus-timeout" });
    clearTimeout(held);
    await node.close();
    await master.kill();
  });

  test("speaks under its own name only, and is asked under it only", async () => {
    const master = await HubUnderTest.start();
    const node = await master.link("alpha");
    const other = await master.link("beta");
    const heard: string[] = [];
    master.hub.serve("master.m1.report.*", (_, subject) => void heard.push(subject));
    master.hub.subscribe("heartbeat.*", (_, subject) => void heard.push(subject));
    for (const foreign of ["master.m1.report.beta", "master.m1.report.alpha.beta", "master.report.alpha"]) {
      await assert.rejects(node.request(foreign, empty, patienceMs), { code: "not-allowed" });
    }
    for (const subject of ["heartbeat.beta", "master.m1.report.beta", "heartbeat.alpha"]) node.publish(subject, empty);
    node.serve("node.beta.assign", () => bytes("stolen"));
    await node.request("master.m1.report.alpha", empty, patienceMs);
    assert.deepEqual(heard, ["heartbeat.alpha", "master.m1.report.alpha"]);
    await assert.rejects(master.hub.request("node.beta.assign", empty, patienceMs), { code: "no-responder" });
    other.serve("node.beta.assign", () => bytes("beta's"));
    await linked(master, other, "beta");
    assert.equal(text(await master.hub.request("node.beta.assign", empty, patienceMs)), "beta's");
    await Promise.all([node.close(), other.close()]);
    await master.kill();
  });

  test("of a name that another one has joins as well, and is asked once it serves", async () => {
    const master = await HubUnderTest.start();
    const old = await master.link("alpha", "session 1");
    old.serve("node.alpha.who", () => bytes("old"));
    await linked(master, old, "alpha");
    const young = new HttpLink({ masters: [master.url], host: "alpha", session: "session 2" });
    master.hub.serve("master.m1.join.alpha", (message) => message);
    for (;;) {
      const reply = await young.request("master.m1.join.alpha", bytes("young"), patienceMs).catch(() => null);
      if (reply !== null) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(text(await master.hub.request("node.alpha.who", empty, patienceMs)), "old");
    young.serve("node.alpha.who", () => bytes("young"));
    await linked(master, young, "alpha");
    assert.equal(text(await master.hub.request("node.alpha.who", empty, patienceMs)), "young");
    await Promise.all([old.close(), young.close()]);
    await master.kill();
  });

  test("hears what the leader publishes to all, and nothing that is meant for others", async () => {
    const master = await HubUnderTest.start();
    const [alpha, beta] = [await master.link("alpha"), await master.link("beta")];
    const heard: string[] = [];
    for (const [name, link] of [["alpha", alpha] as const, ["beta", beta] as const]) {
      for (const subject of ["leader", "node.alpha.resize", "node.beta.resize", "heartbeat.alpha"]) {
        link.subscribe(subject, (_, full) => void heard.push(`${name}: ${full}`));
      }
    }
    for (const subject of ["leader", "node.alpha.resize", "node.beta.resize", "heartbeat.alpha"]) {
      master.hub.publish(subject, empty);
    }
    await Promise.all([linked(master, alpha, "alpha"), linked(master, beta, "beta")]);
    assert.deepEqual(heard.toSorted(), [
      "alpha: leader",
      "alpha: node.alpha.resize",
      "beta: leader",
      "beta: node.beta.resize",
    ]);
    await Promise.all([alpha.close(), beta.close()]);
    await master.kill();
  });

  test("finds the master that leads through one that follows, and the next one when that is killed", async () => {
    const [first, second] = [await HubUnderTest.start(1), await HubUnderTest.start(null)];
    second.says.leader = first.url;
    const changes: (string | null)[] = [];
    const node = new HttpLink({
      masters: [second.url, first.url],
      host: "alpha",
      session: "s",
      changed: (master) => changes.push(master),
    });
    await linked(first, node, "alpha");
    first.hub.serve("master.m1.report.alpha", () => new Promise(() => undefined));
    const lost = assert.rejects(node.request("master.m1.report.alpha", empty, patienceMs), { code: "bus-broken" });
    await node.request("master.m1.none.alpha", empty, patienceMs).catch(() => undefined);
    second.says.epoch = 2;
    await first.kill();
    await lost;
    await linked(second, node, "alpha");
    assert.deepEqual(changes, [first.url, null, second.url]);
    await node.close();
    await second.kill();
  });

  test("leaves a master that believes that it leads for one with a higher epoch", async () => {
    const [old, young] = [await HubUnderTest.start(1), await HubUnderTest.start(null)];
    const node = await old.link("alpha", "s", [young.url]);
    young.says.epoch = 2;
    await linked(young, node, "alpha");
    await assert.rejects(old.hub.request("node.alpha.x", empty, patienceMs), { code: "no-responder" });
    await node.close();
    await Promise.all([old.kill(), young.kill()]);
  });

  test("carries messages up to the limit both ways, and refuses larger ones", async () => {
    const master = await HubUnderTest.start();
    const node = await master.link("alpha");
    const large = Buffer.alloc(frameMessageBytesMax, "x");
    master.hub.serve("master.m1.report.alpha", (message) => message);
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => node.request("master.m1.report.alpha", large, patienceMs)),
    );
    assert.ok(replies.every((reply) => large.equals(reply)));
    const tooLarge = Buffer.concat([large, large]);
    await assert.rejects(node.request("master.m1.report.alpha", tooLarge, patienceMs), { code: "bus-message-too-big" });
    node.serve("node.alpha.big", () => tooLarge);
    await linked(master, node, "alpha");
    await assert.rejects(master.hub.request("node.alpha.big", empty, patienceMs), { code: "bus-message-too-big" });
    await node.close();
    await master.kill();
  });

  test("that takes nothing is cut off, and its requests end", async () => {
    const master = await HubUnderTest.start();
    const socket = connect(Number(new URL(master.url).port), "127.0.0.1");
    socket.write(
      "GET /bus/alpha HTTP/1.1\r\nhost: x\r\nx-disco-session: s\r\nx-disco-serves: node.alpha.assign\r\n\r\n",
    );
    await once(socket, "readable");
    socket.pause();
    const message = Buffer.alloc(frameMessageBytesMax);
    const answers = await Promise.allSettled(
      Array.from({ length: 60 }, () => master.hub.request("node.alpha.assign", message, patienceMs)),
    );
    const codes = new Set(
      answers.map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : "")),
    );
    assert.deepEqual([...codes], ["bus-broken", "no-responder"]);
    socket.destroy();
    await master.kill();
  });

  test("that sends what is no frame, or without a stream, is told so", async () => {
    const master = await HubUnderTest.start();
    const post = async (
      body: Uint8Array,
      headers: Record<string, string> = { "x-disco-session": "s" },
    ): Promise<number> => {
      return (await fetch(`${master.url}/bus/alpha`, { method: "POST", headers, body: Buffer.from(body) })).status;
    };
    const ping = encodeFrame({ kind: "ping" });
    assert.equal(await post(ping), 409);
    assert.equal(await post(ping, {}), 400);
    const stream = await fetch(`${master.url}/bus/alpha`, { headers: { "x-disco-session": "s" } });
    assert.equal(await post(ping), 204);
    assert.equal(await post(Buffer.concat(Array.from({ length: 200_000 }, () => ping))), 413);
    assert.equal(await post(bytes("no frame at all, but a text")), 400);
    assert.equal(await post(ping), 409);
    await stream.body?.cancel().catch(() => undefined);
    await master.kill();
  });
});
