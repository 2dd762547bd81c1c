import assert from "node:assert/strict";
import { isIP } from "node:net";
import { homedir } from "node:os";
import { describe, it } from "node:test";
import fc from "fast-check";
import { host, hostNames, isLoopback, masterAddress, networks, nodeName, proxyAddress } from "./addresses.ts";
import { labels } from "./labels.ts";
import { token } from "./token.ts";
import { path, type ValueType, wholeNumber } from "./value-type.ts";

function allows(type: ValueType<unknown>, ...values: readonly unknown[]): void {
  for (const value of values) assert.notEqual(type.read(value, "/base"), null, `${String(value)} is allowed`);
}

function refuses(type: ValueType<unknown>, ...values: readonly unknown[]): void {
  for (const value of values) assert.equal(type.read(value, "/base"), null, `${String(value)} is refused`);
}

describe("types of settings", () => {
  it("read whole numbers from text and from TOML", () => {
    const port = wholeNumber(0, 65_535);
    allows(port, "0", "8989", 65_535);
    refuses(port, "65536", "-1", "80.5", "http", "0x50", "", 1.5, Number.NaN, true, ["80"]);
  });

  it("see relative paths from where they stand", () => {
    assert.deepEqual(path.read("data/x", "/base"), { value: "/base/data/x" });
    assert.deepEqual(path.read("/srv", "/base"), { value: "/srv" });
    assert.deepEqual(path.read("~/disco", "/base"), { value: `${homedir()}/disco` });
    refuses(path, "", "a\0b", 7);
  });

  it("know addresses and names of hosts", () => {
    allows(host, "127.0.0.1", "::1", "[::1]", "0.0.0.0", "localhost", "disco.example.org");
    refuses(host, "", "256.1.1.1", "1.2.3", "a b", "http://x", "-x", "a..b", "x".repeat(300), 5);
    assert.deepEqual(host.read("[::1]", ""), { value: "::1" });
    allows(hostNames, "a.example.org, b", ["a", "10.0.0.1"], []);
    refuses(hostNames, "a,,b", "*", ["a b"], [1], {});
    allows(networks, "10.1.0.0/16, fd00::/8", ["10.1.2.3"], []);
    refuses(networks, "0.0.0.0/0", "::/0", "10.1.0.0/33", "10.1/16", "host", "", [1], {});
  });

  it("know the same addresses as the network does", () => {
    const nearly = fc.stringMatching(/^[0-9a-f]{0,4}(?:[:.]{1,2}[0-9a-f]{0,4}){2,8}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), nearly), (address) => {
        assert.equal(
          hostNames.read([address], "") !== null && /[:]|^[\d.]+$/.test(address),
          isIP(address) !== 0,
          address,
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("know which addresses stay on this machine", () => {
    for (const address of ["127.0.0.1", "127.8.9.1", "::1", "localhost", "::ffff:127.0.0.1"]) {
      assert.ok(isLoopback(address), address);
    }
    for (const address of ["0.0.0.0", "::", "10.0.0.1", "127.example.org", "localhost.example.org"]) {
      assert.ok(!isLoopback(address), address);
    }
  });

  it("know addresses of masters and proxies, without secrets and paths in them", () => {
    allows(
      masterAddress,
      "disco://localhost",
      "disco://h:80",
      "http://h:8989/",
      "https://[::1]:8989",
      "disco://[::1]:1",
      "https://h/at/a/path",
      "disco://a,b,c:8989",
      "disco://a,disco://b",
      "local",
    );
    refuses(
      masterAddress,
      "localhost",
      "disco://",
      "http://user:secret@h",
      "disco://h/path",
      "disco://h:99999",
      "ftp://h",
      "disco://a,,b",
      "disco://a,user@b",
      "disco://a,https://b",
    );
    assert.deepEqual(masterAddress.read(["disco://a", "disco://b"], ""), { value: "disco://a,disco://b" });
    refuses(masterAddress, [], ["disco://a", 5]);
    allows(proxyAddress, "http://h:8989", "https://h/some/path");
    refuses(proxyAddress, "disco://h", "local", "h:8989", "http://u:p@h", "http://h/?a=b", "http://");
  });

  it("know names of nodes, which are directories, too", () => {
    allows(nodeName, "localhost", "node-1.example.org", "a_b");
    refuses(nodeName, "_master", "..", ".", "a/b", "", "a b", "é", "x".repeat(254));
  });

  it("read labels from text, lists and tables", () => {
    const value = { gpu: "a100", rack: "3" };
    for (const raw of ["gpu=a100, rack=3", ["gpu=a100", "rack=3"], { gpu: "a100", rack: 3 }]) {
      assert.deepEqual(labels.read(raw, ""), { value });
    }
    refuses(labels, "gpu", "=x", "a=", "a=1,a=2", "__proto__=x", "a b=1", { a: { b: 1 } }, ["a"], 5);
  });

  it("know what can be a token", () => {
    allows(token, "0123456789abcdef", "t".repeat(512));
    refuses(token, "short", "with spaces in it, and long", "é".repeat(20), "x\n".repeat(20), "t".repeat(513), 5);
  });
});
