/**
 * 83: a daemon with tokens, a job that looks for them, clients that send them right and wrong, and then a search through everything
 * that was written: the whole root (journal, job packs, events, results), the log, and every answer.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Disco, resultIterator } from "../../src/index.ts";
import { startDaemon } from "../daemon/daemon.test-kit.ts";

const secrets = {
  DISCO_TOKEN: "admin-token-3f1c9a7be2",
  DISCO_SUBMIT_TOKEN: "submit-token-8d20e4c6b1",
  DISCO_READ_TOKEN: "read-token-57ab90c3f4",
};

test("83: tokens are in nothing that a daemon, its workers or its clients write", { timeout: 120_000 }, async () => {
  await using daemon = await startDaemon({ env: secrets, args: ["--log-level", "trace"] });
  const written: [where: string, text: string][] = [];
  const all = Object.values(secrets);

  await using disco = new Disco(daemon.address, { token: secrets.DISCO_SUBMIT_TOKEN });
  const job = await disco.newJob("looks", {
    input: ["raw://x"],
    map: () => {
      const found = Object.entries(process.env).map(([name, value]) => [name, `${value}`] as const);
      console.log(JSON.stringify(process.argv), JSON.stringify(process.execArgv));
      return [...found, ["argv", process.argv.join(" ")] as const];
    },
  });
  await job.wait({ timeout: 60 });
  const environment = new Map(await resultIterator(job).toArray());
  assert.ok(environment.has("PATH"), "the job has seen its environment");
  for (const name of Object.keys(secrets))
    assert.ok(!environment.get(name), `${name} is in the environment of workers`);
  written.push(["the environment of a worker", JSON.stringify([...environment])]);
  for await (const [, event] of job.events()) written.push(["an event", JSON.stringify(event)]);

  for (const [name, token] of [...Object.entries(secrets), ["wrong", "wrong-token-000"]] as const) {
    for (const path of [
      "/disco/ctrl/joblist",
      "/api/v1/master",
      "/api/v1/settings",
      "/metrics",
      "/nothing",
      "/disco/x/../y",
    ]) {
      for (const method of ["GET", "POST", "PATCH"]) {
        const answer = await fetch(daemon.url + path, { method, headers: { authorization: `Bearer ${token}` } });
        written.push([`${name}: ${method} ${path}`, JSON.stringify([...answer.headers]) + (await answer.text())]);
      }
    }
    // Even in the address, where it should not be.
    const answer = await fetch(`${daemon.url}/disco/ctrl/joblist?token=${token}`);
    assert.equal(answer.status, 400);
    written.push([`${name} in an address`, await answer.text()]);
  }

  written.push(["its record", JSON.stringify(daemon.record())]);
  await daemon.stop();
  written.push(["its log", daemon.output]);
  for (const entry of await readdir(daemon.root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    written.push([path, await readFile(path, "latin1")]);
  }
  assert.ok(written.some(([where]) => where.endsWith("master.sqlite")));
  for (const [where, text] of written) {
    for (const secret of all) assert.ok(!text.includes(secret), `a token is in ${where}`);
  }
});
