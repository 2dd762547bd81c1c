/**
 * Packs of jobs outlive the disks of masters and of nodes that held them. Masters and nodes are those of `disco master` and `disco
 * node`, with servers and disks of their own; bus and journal are in memory.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Bus } from "../../src/bus/bus.ts";
import { MemoryBus } from "../../src/bus/memory.ts";
import { MemoryStore } from "../../src/journal/memory.ts";
import { SlowJournal } from "../../src/journal/slow.test-kit.ts";
import { MemoryLease } from "../../src/lease/memory.ts";
import { MemoryLineFeed } from "../../src/lines/memory.ts";
import { type ClusterMaster, openClusterMaster } from "../../src/master/cluster-master.ts";
import { packOf, scriptedWorker } from "../../src/master/fixtures/packs.ts";
import { JobFiles } from "../../src/master/job-files.ts";
import { silentLog } from "../../src/master/log.ts";
import { jobDirectory } from "../../src/node/job-directory.ts";
import { type NodeProcess, openNodeProcess } from "../../src/node/node-process.ts";
import { type ClusterSettings, type Role, resolveClusterSettings } from "../../src/settings/cluster.ts";

const timeout = 120_000;

class Cluster implements AsyncDisposable {
  readonly folder: string;
  readonly nodes = new Map<string, NodeProcess>();
  readonly #bus = new MemoryBus();
  readonly #store = new MemoryStore();
  readonly #lease = new MemoryLease();
  readonly #masters: ClusterMaster[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Cluster> {
    return new Cluster(await mkdtemp(join(tmpdir(), "disco-packs-")));
  }

  /** Resolves when it leads. */
  async startMaster(name: string): Promise<ClusterMaster> {
    const engine = async () => ({
      bus: this.#shared(),
      journal: new SlowJournal(this.#store),
      lease: this.#lease,
      lines: new MemoryLineFeed(),
      close: async () => undefined,
    });
    const master = await openClusterMaster(this.#settings("master", name), { engine, log: silentLog });
    this.#masters.push(master);
    await until(() => master.leading.role() === "leads" && master.desk() !== null);
    return master;
  }

  /** Resolves when the master has let it in. */
  async startNode(name: string, master: ClusterMaster): Promise<void> {
    const settings = this.#settings("node", name);
    const bus = async (): Promise<Bus> => this.#shared();
    this.nodes.set(name, await openNodeProcess(settings, { bus, log: silentLog, workerScript: scriptedWorker }));
    await until(() => master.desk()?.liveness.dataServers()[name] !== undefined);
  }

  /** It is gone, with its disk. */
  async loseNode(name: string): Promise<void> {
    await this.nodes.get(name)?.close();
    this.nodes.delete(name);
    await rm(join(this.folder, name), { recursive: true });
  }

  async loseMaster(name: string, master: ClusterMaster): Promise<void> {
    await master.close();
    await rm(join(this.folder, name), { recursive: true });
  }

  masterPack(name: string, job: string): string {
    return new JobFiles(join(this.folder, name, "data")).packFile(job);
  }

  nodePack(name: string, job: string): string {
    return join(this.folder, name, "node", "data", jobDirectory(name, job), "jobfile");
  }

  /** Nodes on whose disks the pack is. */
  holders(job: string): string[] {
    return [...this.nodes.keys()].filter((name) => existsSync(this.nodePack(name, job)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes.values()) await node.close();
    for (const master of this.#masters) await master.close();
    await this.#bus.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The bus, of which who ends closes nothing but its own part. */
  #shared(): Bus {
    const bus = this.#bus;
    return {
      publish: (subject, bytes) => bus.publish(subject, bytes),
      subscribe: (pattern, handler) => bus.subscribe(pattern, handler),
      request: (subject, bytes, timeoutMs) => bus.request(subject, bytes, timeoutMs),
      serve: (pattern, handler) => bus.serve(pattern, handler),
      get connected() {
        return bus.connected;
      },
      close: async () => undefined,
    };
  }

  #settings(role: Role, name: string): ClusterSettings {
    const given = { config: "none", engine: "nats://unused", port: "0", workers: "1" };
    const own = { root: join(this.folder, name), ...(role === "node" ? { node: name } : {}) };
    return resolveClusterSettings(role, { flags: { ...given, ...own }, env: {}, cwd: this.folder }).settings;
  }
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const noNodeCarries = { labels: { rack: "nowhere" } };

test("a job accepted without a node, and with it its pack, gets holders when nodes join", { timeout }, async () => {
  await using cluster = await Cluster.open();
  const master = await cluster.startMaster("m1");
  const job = await master.master.submit(packOf(["ok"], { tasks: 2, ...noNodeCarries }));
  assert.equal((await master.master.jobInfo(job)).status, "active");
  await cluster.startNode("n1", master);
  await until(() => cluster.holders(job).length === 1);
  await cluster.startNode("n2", master);
  await until(() => cluster.holders(job).length === 2);
  // Two are enough.
  await cluster.startNode("n3", master);
  const pack = await readFile(cluster.masterPack("m1", job));
  for (const name of ["n1", "n2"]) assert.deepEqual(await readFile(cluster.nodePack(name, job)), pack);
  await cluster.loseNode("n1");
  await until(() => cluster.holders(job).length === 2);
  assert.deepEqual(cluster.holders(job), ["n2", "n3"]);
});

test("the pack of an active job outlives the leader's disk, then a holder, then both at once", {
  timeout,
}, async () => {
  await using cluster = await Cluster.open();
  const first = await cluster.startMaster("m1");
  for (const name of ["n1", "n2", "n3", "n4"]) await cluster.startNode(name, first);
  const sent = packOf(["ok"], { tasks: 8, ...noNodeCarries });
  const job = await first.master.submit(sent);
  assert.equal(cluster.holders(job).length, 2);

  await cluster.loseMaster("m1", first);
  const second = await cluster.startMaster("m2");
  await until(() => existsSync(cluster.masterPack("m2", job)));
  assert.deepEqual(await readFile(cluster.masterPack("m2", job)), Buffer.from(sent));

  await cluster.loseNode(cluster.holders(job)[0] ?? "");
  await until(() => cluster.holders(job).length === 2);

  await Promise.all([cluster.loseMaster("m2", second), cluster.loseNode(cluster.holders(job)[0] ?? "")]);
  const third = await cluster.startMaster("m3");
  await until(() => existsSync(cluster.masterPack("m3", job)) && cluster.holders(job).length === 2);
  assert.deepEqual(await readFile(cluster.masterPack("m3", job)), Buffer.from(sent));
  assert.deepEqual(await third.master.jobPack(job), Buffer.from(sent));
  for (const name of cluster.holders(job))
    assert.deepEqual(await readFile(cluster.nodePack(name, job)), Buffer.from(sent));
});
