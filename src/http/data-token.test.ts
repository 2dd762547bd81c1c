import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { Access } from "./access.ts";
import { dataTokenOf } from "./data-token.ts";
import { TokenCheck } from "./token-check.ts";

const tokens = { admin: "the-clusters-own-token", read: "a-token-for-reading" };

test("the token for data is the same in every process, and another one for every token", () => {
  const derived = dataTokenOf(tokens.admin);
  // Masters and nodes of different versions have to agree on it.
  assert.equal(derived, "x-DTGUyG6_QUtdHEgu7N3cOhPOT06Bg9H4KPLPhg3tw");
  assert.match(derived, /^[\w-]{43}$/);
  assert.notEqual(derived, dataTokenOf(tokens.read));
  assert.notEqual(derived, dataTokenOf(`${tokens.admin} `));
});

test("the token for data has no scope, is known of every token that is set, and not derived once more", () => {
  const access = new Access(tokens);
  for (const token of Object.values(tokens)) {
    const derived = dataTokenOf(token);
    assert.deepEqual([access.scopeOf(derived), access.isForData(derived)], [null, true]);
    assert.equal(access.isForData(dataTokenOf(derived)), false);
    assert.equal(access.isForData(token), false);
  }
  assert.equal(access.isForData(dataTokenOf("another-clusters-token")), false);
});

test("a node's data server takes the token for data, of its cluster only", () => {
  const check = new TokenCheck(tokens);
  const refused = (token: string): string | null =>
    check.refusal({
      headers: { authorization: `Bearer ${token}` },
      socket: { remoteAddress: "10.0.0.1" },
    } as IncomingMessage)?.code ?? null;
  assert.equal(refused(dataTokenOf(tokens.admin)), null);
  assert.equal(refused(dataTokenOf("another-clusters-token")), "unauthorized");
});
