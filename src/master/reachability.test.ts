import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Peers } from "../node/fetch/peers.ts";
import type { NodeHello } from "../protocol/messages.ts";
import { assertReachable } from "./reachability.ts";

const hello: NodeHello = { host: "n1", incarnation: "i", slots: 1, queueDepth: 1, labels: {}, attempts: [] };

test("a node that answers where it says is let in, whatever it answers", async (t) => {
  const server = createServer((_, response) => response.writeHead(503).end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const peers = new Peers({ urlOf: () => undefined });
  t.after(() => peers.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await assertReachable({ ...hello, url }, { peers });
  await assertReachable(hello, { peers });
});

test("a node that is not where it says is told the address and the setting", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, "close");
  const peers = new Peers({ urlOf: () => undefined });
  t.after(() => peers.close());
  await assert.rejects(
    assertReachable({ ...hello, url }, { peers }),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, "node-unreachable");
      assert.ok(error.message.includes(url), error.message);
      assert.match(error.message, /n1.*ECONNREFUSED/);
      assert.match(error.hint, /--advertise/);
      return true;
    },
  );
});

test("a node that takes a connection and says nothing is not waited for", async (t) => {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const peers = new Peers({ urlOf: () => undefined });
  t.after(() => peers.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await assert.rejects(assertReachable({ ...hello, url }, { peers, patienceMs: 50 }), { code: "node-unreachable" });
});
