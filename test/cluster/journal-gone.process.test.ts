/** An engine whose data are gone (fault 34): a master that knew the journal does not begin a new one in its place. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NatsServers, skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { runDisco } from "../run-disco.ts";
import { TestProcess } from "./process.test-kit.ts";

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");

test("a master whose engine was wiped ends with what to do, and begins nothing", {
  skip: skipWithoutNats(),
  timeout: 90_000,
}, async () => {
  const root = await mkdtemp(join(tmpdir(), "disco-gone-"));
  const before = await NatsServers.start();
  const after = await NatsServers.start();
  const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_ROOT: root, DISCO_ALLOW_OLD_ENGINE: "1" };
  const args = (url: string): string[] => ["master", "--port", "0", "--engine", url];
  const start = (url: string): TestProcess =>
    new TestProcess({ name: "master", command: process.execPath, args: [command, ...args(url)], env });
  try {
    for (let times = 0; times < 2; times++) {
      await using master = start(before.url);
      await master.start(/"leading"/);
    }
    const { code, stdout, stderr } = await runDisco(args(after.url), { root, env });
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /journal of cluster disco is empty.*seen it before[^]*Restore the engine's data/);
    await using again = start(before.url);
    await again.start(/"leading"/);
  } finally {
    await Promise.all([before.dispose(), after.dispose()]);
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
});
