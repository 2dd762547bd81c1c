/**
 * Jobs over four nodes, each with its own disk and data server: the bytes of the results are those of one node, also when outputs
 * are damaged or gone in the middle of the shuffle.
 */
import assert from "node:assert/strict";
import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { jobDirectory } from "../../src/node/job-directory.ts";
import { alone, byNode, Cluster, type Hook, oneEach, packOf, withValues, wordCount } from "./word-count.test-kit.ts";

const hosts = ["n1", "n2", "n3", "n4"];

for (const [name, shape] of Object.entries({
  "word count": wordCount,
  group_node_label: byNode,
  group_node: oneEach,
  "a job that reads out-of-band values": withValues,
})) {
  test(`${name} over four nodes gives the bytes of one`, { timeout: 120_000 }, async () => {
    const expected = await alone(shape);
    await using cluster = await Cluster.open(hosts);
    assert.equal(await cluster.run(shape), expected);
    assert.ok(cluster.workers().length > 1, cluster.workers().join());
  });
}

/** Does it to the segment files of a node, once, when it is asked for them. */
function spoiler(dataDir: (host: string) => string, job: () => string, spoil: (file: string) => Promise<void>): Hook {
  const spoiled = new Set<string>();
  return async (host) => {
    // Two of four, so that some come and some do not.
    if (spoiled.size > 1 || spoiled.has(host)) return;
    spoiled.add(host);
    const directory = join(dataDir(host), jobDirectory(host, job()), ".disco");
    for (const name of await readdir(directory)) if (name.endsWith(".seg")) await spoil(join(directory, name));
  };
}

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  gone: (file) => rm(file),
  damaged: async (file) => {
    const bytes = await readFile(file);
    bytes.fill(0xff, 40, 60);
    await writeFile(file, bytes);
  },
  short: async (file) => await truncate(file, 100),
};

for (const [what, spoil] of Object.entries(damages)) {
  test(`map outputs that are ${what} in the middle of the shuffle are made again, and the bytes are the same`, {
    timeout: 120_000,
  }, async () => {
    const expected = await alone(wordCount);
    let job = "";
    const place: { dataDir: (host: string) => string } = { dataDir: () => "" };
    const hook = spoiler(
      (host) => place.dataDir(host),
      () => job,
      spoil,
    );
    await using cluster = await Cluster.open(hosts, hook);
    place.dataDir = (host) => cluster.stand.dataDir(host);
    job = await cluster.stand.master.submit(packOf(wordCount));
    assert.equal(await cluster.results(job), expected);
    const messages: string[] = [];
    for await (const [, { message }] of cluster.stand.master.events(job, 0)) messages.push(message);
    assert.ok(
      messages.some((message) => /cannot be (?:had|read)/.test(message)),
      messages.join("\n"),
    );
  });
}
