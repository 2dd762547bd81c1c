/** The bus of a cluster without NATS, behind the master's own server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpHub } from "../../bus/http-hub.ts";
import { HttpLink } from "../../bus/http-link.ts";
import { openServer } from "./server.test-kit.ts";

const tokens = { read: "read-4711", submit: "submit-4711", admin: "admin-4711" };

test("a node needs the token of scope admin, is heard and asked, and the server that closes does not wait for it", async () => {
  const hub = new HttpHub({ leads: () => ({ epoch: 1 }), leader: () => null });
  const server = await openServer({ bus: hub.handle, settings: { tokens } });
  for (const [token, status] of [
    [null, 401],
    ["wrong", 401],
    [tokens.submit, 403],
  ] as const) {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    for (const method of ["GET", "POST", "HEAD"]) {
      const headers = { "x-disco-session": "s", ...authorization };
      assert.equal((await server.ask("/bus/alpha", { method, headers })).status, status, `${method} ${token}`);
    }
  }
  const { promise: refused, resolve } = Promise.withResolvers<unknown>();
  const stranger = new HttpLink({
    masters: [server.url],
    host: "alpha",
    session: "s",
    token: tokens.read,
    changed: (_, error) => resolve(error),
  });
  assert.deepEqual(((await refused) as { code: string }).code, "not-allowed");
  await stranger.close();

  const { promise: linked, resolve: found } = Promise.withResolvers<string | null>();
  const node = new HttpLink({
    masters: [server.url],
    host: "alpha",
    session: "s",
    token: tokens.admin,
    changed: (master) => found(master),
  });
  node.serve("node.alpha.state", (message) => message);
  assert.equal(await linked, server.url);
  hub.serve("master.m1.join.alpha", () => hub.request("node.alpha.state", Buffer.from("there"), 5_000));
  const reply = await node.request("master.m1.join.alpha", new Uint8Array(0), 5_000);
  assert.equal(Buffer.from(reply).toString("utf8"), "there");
  assert.ok(server.lines.every((line) => !line.includes(tokens.admin)));
  const beganMs = performance.now();
  await server.close();
  assert.ok(performance.now() - beganMs < 4_000, "it waited for the node's stream");
  await Promise.all([node.close(), hub.close()]);
});
