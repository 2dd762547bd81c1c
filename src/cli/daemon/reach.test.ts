import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { addressesFor, describeReach } from "./reach.ts";

test("a daemon that only its own machine reaches has nothing to say", () => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    assert.deepEqual(addressesFor({ host }, "http://127.0.0.1:8989"), []);
    assert.equal(describeReach([], host), null);
  }
});

test("a daemon that listens at one address is reached there, at its port", () => {
  assert.deepEqual(addressesFor({ host: "10.1.2.3" }, "http://10.1.2.3:9000"), ["disco://10.1.2.3:9000"]);
  assert.deepEqual(addressesFor({ host: "fd00::7" }, "http://[fd00::7]:9000"), ["disco://[fd00::7]:9000"]);
  assert.equal(
    describeReach(["disco://10.1.2.3:9000"], "10.1.2.3"),
    "disco://10.1.2.3:9000 (other machines, with a token)",
  );
});

test("a daemon that listens everywhere is reached at the machine's own addresses, and never at its loopback", () => {
  const outer = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const expected = outer.filter(({ internal, family }) => !internal && family === "IPv4");
  assert.deepEqual(
    addressesFor({ host: "0.0.0.0" }, "http://127.0.0.1:8989"),
    expected.map(({ address }) => `disco://${address}:8989`),
  );
  assert.doesNotMatch(addressesFor({ host: "::" }, "http://[::1]:8989").join(), /\/\/(?:127\.|\[::1\]|\[fe80)/);
  assert.match(describeReach([], "0.0.0.0") ?? "", /^every address of this machine/);
  assert.match(describeReach(["a", "b", "c", "d"], "0.0.0.0") ?? "", /^a, b, c \(/);
});
