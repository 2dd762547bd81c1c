import assert from "node:assert/strict";
import { hostname, networkInterfaces } from "node:os";
import { test } from "node:test";
import { isLocalUrl } from "./peers.ts";

test("bytes to this machine's own addresses and name do not leave it", () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address, family } of own.filter(({ scopeid = 0 }) => scopeid === 0)) {
    assert.ok(isLocalUrl(family === "IPv6" ? `http://[${address}]:8990` : `http://${address}:8990`), address);
  }
  for (const name of ["localhost", "127.0.0.7", "[::1]", hostname()])
    assert.ok(isLocalUrl(`https://${name}:8990`), name);
});

test("bytes to another machine leave this one", () => {
  for (const name of ["198.18.255.77", "n2.example.org", "[2001:db8::77]"]) {
    assert.equal(isLocalUrl(`http://${name}:8990`), false, name);
  }
});
