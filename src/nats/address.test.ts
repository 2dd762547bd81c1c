import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNatsAddress } from "./address.ts";
import { checkServerVersion, isOlder } from "./version.ts";

test("an address has several servers, and ports where they are not the usual one", () => {
  const { servers, tls } = parseNatsAddress("nats://a,b:4223,[::1]:80");
  assert.deepEqual([servers, tls], [["a:4222", "b:4223", "[::1]:80"], false]);
  assert.equal(parseNatsAddress("tls://a").tls, true);
});

test("user, password and token are taken from an address and are not shown", () => {
  const { user, password, shown } = parseNatsAddress("nats://me:p%40ss@a,b");
  assert.deepEqual([user, password, shown], ["me", "p@ss", "nats://a:4222,b:4222"]);
  assert.equal(parseNatsAddress("nats://tok@a").token, "tok");
});

test("what is no address is refused without telling its secret", () => {
  for (const url of ["http://a", "nats://", "nats://me:secret@a/path", "nats://me:secret@a:99999", "a:4222"]) {
    assert.throws(
      () => parseNatsAddress(url),
      (error: Error & { code: string }) => error.code === "bad-address" && !error.message.includes("secret"),
    );
  }
});

test("versions compare by number, and a candidate comes before its release", () => {
  assert.deepEqual(
    [
      isOlder("2.9.9", "2.9.10"),
      isOlder("2.10.0", "2.9.22"),
      isOlder("2.9.22-RC.1", "2.9.22"),
      isOlder("2.9.22", "2.9.22"),
    ],
    [true, false, true, false],
  );
  assert.throws(() => checkServerVersion("2.9.10", false), { code: "engine-too-old" });
  checkServerVersion("2.9.10", true);
});
