import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type NatsEngine, openNats } from "../nats/connection.ts";
import { nodePermissions, permissionsBlock } from "../nats/permissions.ts";
import { NatsServers, skipWithoutNats } from "../nats/server.test-kit.ts";
import { busContract } from "./contract.ts";
import { NatsBus } from "./nats.ts";

const skip = skipWithoutNats();
const patienceMs = 5_000;
const password = "pass-of-tests";

describe("a bus on a NATS server", { skip }, () => {
  let servers: NatsServers;
  const engines: NatsEngine[] = [];
  let clusters = 0;
  before(async () => {
    const node = (name: string): string =>
      `{ user: ${name}, password: "${password}", permissions: ${permissionsBlock(nodePermissions("disco", name))} }`;
    servers = await NatsServers.start({
      jetStream: false,
      configuration: `authorization { users: [ { user: master, password: "${password}" }, ${node("alpha")}, ${node("beta")} ] }`,
    });
  });
  after(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await servers.dispose();
  });

  const connect = async (user: string, cluster = "disco"): Promise<NatsBus> => {
    const engine = await openNats({ url: servers.url, cluster, name: user, user, password, allowOldEngine: true });
    engines.push(engine);
    return new NatsBus(engine);
  };

  busContract("NATS", () => connect("master", `c${++clusters}`));

  test("messages above the server's limit arrive whole, both ways", async () => {
    const [a, b] = [await connect("master", "large"), await connect("master", "large")];
    b.serve("echo", (bytes) => bytes);
    await b.request("echo", new Uint8Array(1), patienceMs);
    const large = randomBytes(5_000_001);
    const replies = await Promise.all([1, 2].map(() => a.request("echo", large, patienceMs)));
    for (const reply of replies) assert.ok(large.equals(reply));
    await assert.rejects(a.request("echo", new Uint8Array(64 * 2 ** 20 + 1), patienceMs), {
      code: "bus-message-too-big",
    });
  });

  test("a node answers its master and reports to it, and can speak or listen for no other node", async () => {
    const [master, alpha, beta] = [await connect("master"), await connect("alpha"), await connect("beta")];
    const reported: string[] = [];
    master.serve("master.m1.report.*", (_, subject) => {
      reported.push(subject);
      return undefined;
    });
    for (const [name, bus] of [
      ["alpha", alpha],
      ["beta", beta],
    ] as const) {
      bus.serve(`node.${name}.state`, () => Buffer.from(name));
    }
    await assert.rejects(beta.request("master.m1.report.alpha", new Uint8Array(0), 200), { code: "bus-timeout" });
    await beta.request("master.m1.report.beta", new Uint8Array(0), patienceMs);
    await alpha.request("master.m1.report.alpha", new Uint8Array(0), patienceMs);
    assert.deepEqual(reported, ["master.m1.report.beta", "master.m1.report.alpha"]);
    // Beta tries to answer in alpha's place, and to ask alpha.
    beta.serve("node.alpha.cancel", () => Buffer.from("beta"));
    await assert.rejects(master.request("node.alpha.cancel", new Uint8Array(0), patienceMs), { code: "no-responder" });
    await assert.rejects(beta.request("node.alpha.state", new Uint8Array(0), 200), { code: "bus-timeout" });
    assert.equal(
      Buffer.from(await master.request("node.alpha.state", new Uint8Array(0), patienceMs)).toString(),
      "alpha",
    );
  });

  test("when the connection breaks, what was asked and what is asked ends at once, and all goes on when it is back", async () => {
    const own = await NatsServers.start({ jetStream: false });
    const engine = await openNats({ url: own.url, name: "x", allowOldEngine: true });
    try {
      const bus = new NatsBus(engine);
      const asked = Promise.withResolvers<void>();
      bus.serve("slow", () => {
        asked.resolve();
        return new Promise(() => undefined);
      });
      bus.serve("echo", (bytes) => bytes);
      const begun = performance.now();
      const pending = assert.rejects(bus.request("slow", new Uint8Array(0), 60_000), { code: "bus-broken" });
      await asked.promise;
      assert.equal(bus.connected, true);
      await own.killAll();
      await pending;
      assert.equal(bus.connected, false);
      await assert.rejects(bus.request("echo", new Uint8Array(0), 60_000), { code: "bus-broken" });
      assert.ok(performance.now() - begun < 30_000);
      await own.startAll();
      while (!bus.connected) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual([...(await bus.request("echo", Buffer.from([7]), patienceMs))], [7]);
      await bus.close();
    } finally {
      await engine.close();
      await own.dispose();
    }
  });

  test("an error reply that cannot be read is an error, and nothing breaks", async () => {
    const engine = await openNats({
      url: servers.url,
      cluster: "odd",
      name: "master",
      user: "master",
      password,
      allowOldEngine: true,
    });
    engines.push(engine);
    engine.connection.subscribe("dj.odd.node.n.assign", {
      callback: (_, message) => {
        const headers = engine.headers();
        headers.set("Dj-Error", "1");
        message.respond("{", { headers });
      },
    });
    const bus = new NatsBus(engine);
    await assert.rejects(bus.request("node.n.assign", new Uint8Array(0), patienceMs), { code: "remote-error" });
  });

  test("a wrong password is refused at once, and is in no message", async () => {
    const secret = "wrong-secret";
    await assert.rejects(
      openNats({ url: servers.url.replace("nats://", `nats://master:${secret}@`), name: "x", allowOldEngine: true }),
      (error: Error & { code: string }) => error.code === "engine-refused" && !String(error.stack).includes(secret),
    );
  });
});
