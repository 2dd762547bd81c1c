import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { TokenCheck } from "./token-check.ts";
import { parseNetwork, TrustedNetworks } from "./trusted-networks.ts";

const basicJob = `Basic ${Buffer.from("token:job").toString("base64")}`;

function request(remoteAddress: string, authorization?: string): IncomingMessage {
  const headers = authorization === undefined ? {} : { authorization };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

test("an address is in a network that is named, also as an IPv6 address of IPv4, and in no other", () => {
  const networks = new TrustedNetworks(["10.1.0.0/16", "192.168.7.9", "fd00::/8"]);
  for (const inside of ["10.1.0.1", "10.1.255.255", "::ffff:10.1.2.3", "192.168.7.9", "fd12::1"]) {
    assert.ok(networks.has(inside), inside);
  }
  for (const outside of ["10.2.0.1", "::ffff:10.2.0.1", "192.168.7.8", "fe80::1", "127.0.0.1", "", "x", undefined]) {
    assert.ok(!networks.has(outside), outside);
  }
  assert.ok(!new TrustedNetworks().has("127.0.0.1"));
});

test("what is no network is not taken for one, nor is everybody", () => {
  for (const wrong of [
    "",
    "10.0.0",
    "10.0.0.0/33",
    "10.0.0.0/",
    "0.0.0.0/0",
    "::/0",
    "fd00::/129",
    "host",
    "10.0.0.0/08",
  ]) {
    assert.equal(parseNetwork(wrong), null, wrong);
  }
});

test("a node asks addresses of trusted networks for no token, and takes no token of a tag for a guess", () => {
  const check = new TokenCheck({ admin: "secret" }, { trusted: new TrustedNetworks(["10.1.0.0/16"]) });
  for (let i = 0; i < 100; i++) assert.equal(check.refusal(request("10.1.0.1", basicJob), "submit"), null);
  assert.equal(check.refusal(request("10.1.0.1")), null);
  assert.equal(check.refusal(request("10.2.0.1"))?.status, 401);
  assert.equal(check.refusal(request("10.2.0.1", "Bearer secret")), null);
});
