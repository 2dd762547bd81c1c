/** Masters and nodes whose engine or master is not there, or refuses them: they say so, and a signal ends them at once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TestProcess } from "./process.test-kit.ts";

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
/** Nobody listens there: the port is one that only root may take. */
const nobody = "127.0.0.1:9";
const env = { DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_MASTER: "", DISCO_ENGINE: "", DISCO_JOURNAL: "" };
const endedWithinMs = 5_000;

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "disco-start-up-"));
});
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

function disco(role: "master" | "node", engine: string, more: Readonly<Record<string, string>> = {}): TestProcess {
  const args = [command, role, "--engine", engine, "--port", "0", "--root", join(folder, role)];
  return new TestProcess({ name: role, command: process.execPath, args, env: { ...env, ...more } });
}

for (const role of ["master", "node"] as const) {
  test(`a ${role} whose engine does not answer says so, and ends when it is told to`, async () => {
    await using one = disco(role, `nats://${nobody}`);
    const [line] = await one.start(/^.*not started yet.*$/m);
    assert.match(line, /"engine":"nats:\/\/127\.0\.0\.1:9"/);
    const since = performance.now();
    assert.equal(await one.end(), 0);
    assert.ok(performance.now() - since < endedWithinMs);
    assert.match(one.output, /"stopping"[^]*"stopped"/);
    assert.doesNotMatch(one.output, /"fatal"/);
  });

  test(`a ${role} without an engine ends with the status of wrong settings, which systemd does not try again`, () => {
    const options = { encoding: "utf8", env: { ...process.env, ...env, DISCO_ROOT: join(folder, "none") } } as const;
    const { status, stderr } = spawnSync(process.execPath, [command, role], options);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /--engine/);
  });
}

test("a node whose masters cannot be reached says so once, and that it waits", async () => {
  await using node = disco("node", `http://${nobody}`);
  await node.start(/cannot reach the master/);
  await node.printed(/no master that leads is heard yet/);
  assert.equal(node.output.match(/cannot reach the master/g)?.length, 1);
  assert.equal(await node.end(), 0);
});

test("a node whose token the master refuses says so with the remedy, and asks seldom", async (t) => {
  let asked = 0;
  const master = createServer((_, response) => {
    asked++;
    response.writeHead(401).end();
  }).listen(0, "127.0.0.1");
  t.after(() => master.close());
  await once(master, "listening");
  const { port } = master.address() as AddressInfo;
  await using node = disco("node", `http://127.0.0.1:${port}`, { DISCO_TOKEN: "not-the-token-of-the-cluster" });
  const [line] = await node.start(/^.*does not take the token.*$/m);
  assert.match(line, /"hint":"Give masters and nodes the same token/);
  assert.doesNotMatch(node.output, /not-the-token-of-the-cluster/);
  // It waits for five seconds before it says that; asked each second there would be more.
  await node.printed(/no master that leads is heard yet/);
  assert.ok(asked <= 3, `${asked} requests`);
  assert.equal(await node.end(), 0);
});

test("a master whose PostgreSQL does not answer names it, why, and the remedy", () => {
  const options = { encoding: "utf8", env: { ...process.env, ...env, DISCO_ROOT: join(folder, "pg") } } as const;
  const args = [command, "master", "--journal", `postgres://disco@${nobody}/disco`, "--port", "0"];
  const { status, stderr } = spawnSync(process.execPath, args, options);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^error: cannot reach postgres:\/\/\S*127\.0\.0\.1:9\/disco: connect ECONNREFUSED/m);
  assert.match(stderr, /^hint: .*--journal/m);
});
