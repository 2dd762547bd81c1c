/** What a node finds on its disk that it need not keep, when it comes back after jobs ended without it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fromJsonBytes } from "../../src/bus/json.ts";
import type { JobSpec } from "../../src/core/job/spec.ts";
import { jobDirectory } from "../../src/node/job-directory.ts";
import type { LeftoversReply } from "../../src/protocol/messages.ts";
import type { Stand } from "./in-process.test-kit.ts";
import { Cluster, packOf, wordCount } from "./word-count.test-kit.ts";

/** What nodes are told to drop from now on. */
function heard(stand: Stand): LeftoversReply["drop"][] {
  const told: LeftoversReply["drop"][] = [];
  const request = stand.bus.request.bind(stand.bus);
  stand.bus.request = async (subject, bytes, timeoutMs) => {
    const reply = await request(subject, bytes, timeoutMs);
    if (subject.includes(".leftovers.")) told.push(fromJsonBytes<LeftoversReply>(reply).drop);
    return reply;
  };
  return told;
}

/** Path and bytes of each file below a directory. */
async function filesOf(directory: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(file, await readFile(file, "hex"));
  }
  return files;
}

test("a node that was away drops what ended and purged jobs left, and nothing that is wanted", {
  timeout: 120_000,
}, async () => {
  const gate = Promise.withResolvers<void>();
  const shuffling = Promise.withResolvers<void>();
  let isHeld = false;
  await using cluster = await Cluster.open(["n1", "n2"], async () => {
    if (!isHeld) return;
    shuffling.resolve();
    await gate.promise;
  });
  const { stand } = cluster;
  const home = (job: string): string => join(stand.dataDir("n2"), jobDirectory("n2", job));

  const run = async (change: Partial<JobSpec> = {}): Promise<string> => {
    const job = await stand.master.submit(packOf(wordCount, change));
    await cluster.results(job);
    // What the end of a job deletes is gone.
    await stand.coordinator.settled(job);
    return job;
  };
  const kept = await run({ keep: true });
  const [read, cleaned, purged] = [await run(), await run(), await run()];
  await stand.master.clean(cleaned);
  const wanted = new Map(
    (await Promise.all([kept, read, cleaned].map((job) => filesOf(home(job))))).flatMap((m) => [...m]),
  );
  assert.ok([...wanted.keys()].some((file) => file.endsWith(".seg")));
  assert.ok([...wanted.keys()].some((file) => file.startsWith(home(read))));

  isHeld = true;
  const ended = await stand.master.submit(packOf(wordCount));
  await shuffling.promise;
  const first = stand.nodes.get("n2");
  await first?.leave();
  await first?.close();
  gate.resolve();
  await cluster.results(ended);
  await stand.master.purge(purged);
  assert.ok(existsSync(home(ended)) && existsSync(home(purged)));

  const told = heard(stand);
  stand.startNode("n2");
  await stand.until(() => !existsSync(home(ended)) && !existsSync(home(purged)));
  const drops = told.flat().map(({ job, scope }) => `${job} ${scope}`);
  assert.deepEqual(drops.toSorted(), [`${ended} all`, `${purged} all`].toSorted());
  for (const [file, bytes] of wanted) assert.equal(await readFile(file, "hex"), bytes, file);
});
