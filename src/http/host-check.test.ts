import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrowserHeaders, HostCheck } from "./host-check.ts";

const check = new HostCheck(["localhost", "Node-1"], ["disco.example.com", "other.example:9000"]);

const answer = (headers: BrowserHeaders, method = "GET"): string =>
  check.refusal(method, { host: "localhost:8989", ...headers })?.code ?? "served";

test("our names and all plain addresses are served, with any port", () => {
  for (const host of ["localhost", "LOCALHOST:1", "node-1", "127.0.0.1:8989", "[::1]:8989", "10.1.2.3", "node-1.:80"]) {
    assert.equal(answer({ host }), "served", host);
  }
});

test("a name that is not ours is refused, whatever it resolves to", () => {
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "node-1.evil",
    "other.example",
    "other.example:80",
    "0x7f.1",
    "127.0.0.1.evil.example",
    "127.1",
  ]) {
    assert.equal(answer({ host }), "foreign-host", host);
  }
  assert.equal(answer({ host: "other.example:9000" }), "served");
});

test("what is no host is a bad request", () => {
  for (const host of [
    "",
    "a b",
    "localhost:",
    "localhost:99999999",
    "a,b",
    "localhost/x",
    "user@localhost",
    "[::1",
    "é",
  ]) {
    assert.equal(answer({ host }), "bad-host", host);
  }
});

test("pages of our own origin are served, all others refused, whatever the method", () => {
  for (const method of ["GET", "POST", "OPTIONS"]) {
    assert.equal(answer({ origin: "http://localhost:8989" }, method), "served");
    for (const origin of [
      "http://evil.example",
      "http://localhost",
      "http://localhost:3000",
      "http://localhost:8989.evil.example",
      "http://evil.example#http://localhost:8989",
      "file://",
      "null",
      "",
    ]) {
      assert.equal(answer({ origin }, method), "foreign-origin", origin);
    }
  }
});

test("behind a proxy, the name that browsers use must be allowed, at its port or the usual one", () => {
  for (const host of ["disco.example.com", "localhost:8989"]) {
    assert.equal(answer({ host, origin: "https://disco.example.com" }), "served");
    assert.equal(answer({ host, origin: "https://disco.example.com:8443" }), "foreign-origin");
    assert.equal(answer({ host, origin: "http://other.example:9000" }), "served");
    assert.equal(answer({ host, origin: "http://other.example" }), "foreign-origin");
    assert.equal(answer({ host, origin: "http://node-1" }), "foreign-origin");
  }
});

test("a page that embeds us is refused, a link that leads to us is not", () => {
  assert.equal(answer({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }), "foreign-origin");
  assert.equal(answer({ "sec-fetch-site": "same-site", "sec-fetch-mode": "cors" }), "foreign-origin");
  assert.equal(answer({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }), "served");
  assert.equal(answer({ "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "POST"), "foreign-origin");
  assert.equal(answer({ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" }, "POST"), "served");
  assert.equal(answer({ "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }), "served");
});
