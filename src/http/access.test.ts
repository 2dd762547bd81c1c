import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Access, allows, tokenOf } from "./access.ts";
import { lockMs, WrongTokens, wrongTokensMax } from "./wrong-tokens.ts";

test("each scope has what stands before it", () => {
  const order = ["read", "submit", "admin"] as const;
  for (const [i, has] of order.entries()) {
    for (const [j, needed] of order.entries()) assert.equal(allows(has, needed), i >= j);
  }
});

test("a token is known for what it allows, and nothing near it is", () => {
  const access = new Access({ read: "see", submit: "say", admin: "all" });
  assert.deepEqual([access.scopeOf("see"), access.scopeOf("say"), access.scopeOf("all")], ["read", "submit", "admin"]);
  for (const wrong of ["", "se", "seee", "SEE", " see", "see\0"]) assert.equal(access.scopeOf(wrong), null);
  assert.ok(new Access({}).isOpen);
  assert.ok(!access.isOpen);
});

test("one token for two scopes allows the higher one", () => {
  assert.equal(new Access({ read: "same", admin: "same" }).scopeOf("same"), "admin");
});

test("a token is taken from Bearer, and from Basic as the password of user token", () => {
  const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;
  assert.equal(tokenOf("Bearer abc"), "abc");
  assert.equal(tokenOf("bearer abc"), "abc");
  assert.equal(tokenOf(basic("token:abc")), "abc");
  assert.equal(tokenOf(basic("token:a:b")), "a:b");
  for (const other of [
    "",
    "abc",
    "Bearer",
    "Bearer ",
    "Digest abc",
    basic("admin:abc"),
    basic("token"),
    "Bearer a b",
  ]) {
    assert.equal(tokenOf(other), null, other);
  }
});

test("no header makes the reading of tokens fail", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => [null, "string"].includes(tokenOf(text) && "string")));
});

test("84: an address that guesses is not heard for a while, and heard again after it", () => {
  let now = 1_000;
  const wrong = new WrongTokens(() => now);
  for (let i = 1; i < wrongTokensMax; i++) wrong.add("10.0.0.1", `guess ${i}`);
  assert.equal(wrong.lockedFor("10.0.0.1"), 0);
  wrong.add("10.0.0.1", "one more");
  assert.equal(wrong.lockedFor("10.0.0.1"), lockMs);
  assert.equal(wrong.lockedFor("10.0.0.2"), 0);
  now += lockMs;
  assert.equal(wrong.lockedFor("10.0.0.1"), 0);
});

test("84: an old token sent again and again is no guess", () => {
  const wrong = new WrongTokens(() => 0);
  for (let i = 0; i < 100 * wrongTokensMax; i++) wrong.add("10.0.0.1", "the old one");
  assert.equal(wrong.lockedFor("10.0.0.1"), 0);
});

test("84: guesses that are far apart are not counted together", () => {
  let now = 0;
  const wrong = new WrongTokens(() => now);
  for (let i = 0; i < 5 * wrongTokensMax; i++) {
    wrong.add("10.0.0.1", `guess ${i}`);
    now += 10_000;
    assert.equal(wrong.lockedFor("10.0.0.1"), 0);
  }
});

test("84: addresses of one network count as one, and mapped ones as what they are", () => {
  const wrong = new WrongTokens(() => 0);
  for (let i = 0; i < wrongTokensMax; i++) wrong.add(`2001:db8::${i + 1}:1`, `guess ${i}`);
  assert.ok(wrong.lockedFor("2001:db8:0:0:ffff::1") > 0);
  assert.equal(wrong.lockedFor("2001:db8:0:1::1"), 0);
  for (let i = 0; i < wrongTokensMax; i++) wrong.add("::ffff:10.0.0.9", `guess ${i}`);
  assert.ok(wrong.lockedFor("10.0.0.9") > 0);
});
