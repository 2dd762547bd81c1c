/** Profiles of jobs that a daemon ran: its workers get the functions in one module, without this file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Disco, type ProfileStats } from "disco-mapreduce";
import { startDaemon } from "../daemon/daemon.test-kit.ts";
import { runDisco } from "../run-disco.ts";

const here = fileURLToPath(import.meta.url);
const lineOf = (text: string): number =>
  readFileSync(here, "utf8")
    .split("\n")
    .findIndex((line) => line.startsWith(text)) + 1;

function spin(): void {
  const end = performance.now() + 120;
  while (performance.now() < end);
}

function placesOf({ functions }: ProfileStats): unknown[] {
  return functions.filter(({ name }) => name === "spin").map(({ file, line }) => [file, line]);
}

test("a job's profile comes from the daemon, also from one that was killed and started again", {
  timeout: 60_000,
}, async () => {
  await using daemon = await startDaemon();
  await using disco = new Disco(daemon.address);
  const job = await disco.newJob("profiled", {
    input: ["raw://a", "raw://b"],
    map: (line) => {
      spin();
      return [[line, 1] as const];
    },
    profile: true,
  });
  await job.wait();
  const stats = await job.profileStats("map");
  assert.equal(stats.tasks, 2);
  assert.deepEqual(placesOf(stats), [[here, lineOf("function spin")]]);
  await daemon.restart("kill");
  const again = await job.profileStats();
  assert.deepEqual(again.functions, stats.functions);
  const printed = await runDisco(["profile", "profiled", "--json"], { root: daemon.root });
  assert.equal(printed.code, 0, printed.stderr);
  assert.deepEqual(placesOf(JSON.parse(printed.stdout) as ProfileStats), [[here, lineOf("function spin")]]);
});
