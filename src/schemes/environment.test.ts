import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authorityOf, baseUrl, serversOf } from "./environment.ts";

describe("servers that the environment names", () => {
  it("are written as disco://, as host and port, or as a URL", () => {
    assert.equal(baseUrl("disco://here"), "http://here:8989");
    assert.equal(baseUrl("disco://here:1/"), "http://here:1");
    assert.equal(baseUrl("here:1"), "http://here:1");
    assert.equal(baseUrl("[::1]:7"), "http://[::1]:7");
    assert.equal(baseUrl("https://here/behind/"), "https://here/behind");
    for (const text of ["", "disco://", "a b", "disco://user@here", "disco://here/x", "http://"]) {
      assert.equal(baseUrl(text), null, text);
    }
    assert.equal(authorityOf("https://here/behind"), "here:443");
    assert.equal(authorityOf("http://[::1]:7"), "[::1]:7");
  });

  it("get to see the token, and nobody else does (fault 83)", () => {
    const { token, proxy, dataServers } = serversOf({
      DISCO_TOKEN: "secret",
      DISCO_MASTER: "https://master:9000",
      DISCO_PROXY: "http://proxy:8000/",
    });
    assert.equal(proxy, "http://proxy:8000");
    assert.deepEqual(dataServers, { "master:9000": "https://master:9000" });
    assert.equal(token?.("https://master:9000"), "secret");
    assert.equal(token?.("http://proxy:8000"), "secret");
    for (const origin of ["http://master:9000", "http://master:8989", "http://other:8989", "http://localhost:8989"]) {
      assert.equal(token?.(origin), undefined, origin);
    }
    assert.deepEqual(serversOf({ DISCO_MASTER: "local" }), {});
    assert.equal(serversOf({ DISCO_TOKEN: "secret" }).token?.("http://localhost:8989"), undefined);
  });

  it("are refused when a proxy is no address", () => {
    assert.throws(() => serversOf({ DISCO_PROXY: "a b" }), { code: "bad-proxy", hint: /http:\/\/host:port/ });
  });
});
