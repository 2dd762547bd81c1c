import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";
import { type Role, resolveClusterSettings } from "./cluster.ts";
import type { SettingFlags } from "./resolve.ts";

function resolve(role: Role, flags: SettingFlags, env: Record<string, string> = {}) {
  return resolveClusterSettings(role, { flags: { config: "none", ...flags }, env, cwd: tmpdir() }).settings;
}

describe("settings of masters and nodes of a cluster", () => {
  it("name all servers of the engine, with their ports", () => {
    assert.deepEqual(resolve("node", { engine: "nats://a,b:1,nats://c" }).engine, {
      kind: "nats",
      servers: ["a:4222", "b:1", "c:4222"],
      tls: false,
    });
    assert.deepEqual(resolve("node", { engine: "https://a,b:1" }).engine, {
      kind: "http",
      masters: ["https://a:8989", "https://b:1"],
    });
  });

  it("need an engine: a node in any case, a master unless the journal is on PostgreSQL", () => {
    assert.throws(() => resolve("node", { journal: "postgres://a/b" }), { code: "engine-needed" });
    assert.throws(() => resolve("master", {}), { code: "engine-needed" });
    assert.equal(resolve("master", { journal: "postgres://a/b" }).engine, null);
    assert.throws(() => resolve("master", { engine: "http://a" }), { code: "bad-setting" });
  });

  it("take no password in an address, and do not quote what they refuse", () => {
    const wrong = [
      { engine: "nats://user:very-secret@a" },
      { engine: "nats://a,very-secret@b" },
      { journal: "postgres://user:very-secret@a/b" },
      { journal: "postgres://a/b?password=very-secret" },
    ];
    for (const flags of wrong) {
      assert.throws(
        () => resolve("master", flags),
        (error: Error) => {
          assert.match(error.message, /without/);
          assert.doesNotMatch(JSON.stringify(error) + error.message, /very-secret/);
          return true;
        },
      );
    }
  });

  it("give a node a port and a name of its own where nothing is said", () => {
    const { port, node } = resolve("node", { engine: "nats://a" });
    assert.equal(port, 8990);
    assert.notEqual(node, "localhost");
    assert.equal(resolve("node", { engine: "nats://a", port: "8989", node: "x" }).port, 8989);
  });

  it("refuse times in which no heartbeat may be missed, and halves of a certificate", () => {
    const engine = "nats://a";
    assert.throws(() => resolve("master", { engine, suspectAfter: "1s" }), { code: "bad-setting" });
    assert.throws(() => resolve("master", { engine, deadAfter: "2s" }), { code: "bad-setting" });
    assert.throws(() => resolve("node", { engine, tlsCert: "/a" }), { code: "bad-setting" });
    assert.throws(() => resolve("node", { engine, host: "0.0.0.0" }), { code: "token-needed" });
  });
});
