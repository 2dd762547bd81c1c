import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type NodeDataServer, serveNodeData } from "../node/data-server/serve.ts";
import { Peers } from "../node/fetch/peers.ts";
import { jobDirectory } from "../node/job-directory.ts";
import { DistantFiles } from "./distant-files.ts";
import { JobFiles } from "./job-files.ts";

describe("a master asked for files that lie on nodes", () => {
  const job = "count@1";
  const token = "of-the-cluster";
  let root = "";
  let node: NodeDataServer;
  let servers: Record<string, string> = {};
  let known = true;
  /** What the journal says of the pack. */
  let expected: string | null = null;
  let peers: Peers;
  let distant: DistantFiles;
  let packFile = "";
  const onNode = (path: string): string => join(root, "node", path);

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "disco-distant-"));
    known = true;
    expected = null;
    const home = onNode(jobDirectory("n", job));
    await mkdir(join(home, ".disco"), { recursive: true });
    await writeFile(join(home, "jobfile"), "the pack");
    await writeFile(join(home, ".disco", "oob-1-key"), "the value");
    node = await serveNodeData({ dataDir: onNode(""), node: "n", host: "127.0.0.1", port: 0, tokens: { read: token } });
    servers = { n: node.url };
    peers = new Peers({ urlOf: (host) => servers[host], token });
    const files = new JobFiles(join(root, "master"));
    packFile = files.packFile(job);
    distant = new DistantFiles({
      files,
      peers,
      dataServers: () => servers,
      holders: () => ["gone", "n"],
      packSha256: () => expected,
      knows: () => known,
    });
  });

  afterEach(async () => {
    distant.close();
    peers.close();
    await node.close();
    await rm(root, { recursive: true, force: true });
  });

  it("fetches a pack from a node that holds it, keeps it, and asks nobody again", async () => {
    await Promise.all([distant.pack(job), distant.pack(job)]);
    assert.equal(await readFile(packFile, "utf8"), "the pack");
    servers = {};
    await distant.pack(job);
  });

  it("takes no pack but that of the journal, whatever its holder says of what it gives", async () => {
    expected = createHash("sha256").update("another pack").digest("hex");
    await assert.rejects(distant.pack(job), { code: "no-job-pack", message: /length or digest differ/ });
    assert.ok(!existsSync(packFile));
    expected = createHash("sha256").update("the pack").digest("hex");
    await distant.pack(job);
    assert.equal(await readFile(packFile, "utf8"), "the pack");
  });

  it("names the code where nobody has the pack, and leaves no part of a file", async () => {
    servers = {};
    await assert.rejects(distant.pack(job), { code: "no-job-pack", retry: "here" });
    assert.equal(existsSync(packFile), false);
  });

  it("fetches an out-of-band value from the node that has it, once", async () => {
    const entry = { key: "key", host: "n", file: `${jobDirectory("n", job)}/.disco/oob-1-key`, size: 9 };
    const file = await distant.value(job, entry);
    assert.equal(await readFile(file, "utf8"), "the value");
    assert.equal(dirname(dirname(file)), dirname(packFile), "it goes with the job");
    servers = {};
    assert.equal(await distant.value(job, entry), file);
    await assert.rejects(distant.value(job, { ...entry, key: "other", file: `${entry.file}2` }), {
      code: "value-unreachable",
    });
  });

  it("keeps nothing of a job that is purged while its pack is fetched", async () => {
    known = false;
    await assert.rejects(distant.pack(job), { code: "no-job-pack" });
    assert.equal(existsSync(dirname(packFile)), false);
  });
});
