import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { test } from "node:test";
import { loopbackCertificate, skipWithoutOpenssl } from "../http/certificate.test-kit.ts";
import { HttpHub } from "./http-hub.ts";
import { HttpLink } from "./http-link.ts";

test("a node talks over TLS to a master whose certificate it trusts, and to no other", {
  skip: skipWithoutOpenssl(),
}, async () => {
  const { key, cert } = loopbackCertificate();
  const hub = new HttpHub({ leads: () => ({ epoch: 1 }), leader: () => null });
  const server = createServer({ key, cert }, (request, response) => void hub.handle(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const masters = [`https://127.0.0.1:${(server.address() as { port: number }).port}`];
  const changes = (ca?: string): { link: HttpLink; first: Promise<{ master: string | null; error: unknown }> } => {
    const { promise: first, resolve } = Promise.withResolvers<{ master: string | null; error: unknown }>();
    const changed = (master: string | null, error?: unknown): void => resolve({ master, error });
    return {
      link: new HttpLink({ masters, host: "a", session: "s", changed, ...(ca === undefined ? {} : { ca }) }),
      first,
    };
  };
  const doubting = changes();
  const { error } = await doubting.first;
  assert.match(String((error as { cause?: unknown }).cause), /self-signed/);
  await doubting.link.close();
  const trusting = changes(cert);
  assert.equal((await trusting.first).master, masters[0]);
  hub.serve("master.m.join.a", (message) => message);
  const reply = await trusting.link.request("master.m.join.a", Buffer.from("hello"), 5_000);
  assert.equal(Buffer.from(reply).toString("utf8"), "hello");
  await trusting.link.close();
  await hub.close();
  server.closeAllConnections();
  server.close();
});
