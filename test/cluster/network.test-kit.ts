/**
 * A cluster on five hosts with a network between them that tests break (`hosts.test-kit.ts`): three servers of NATS, two masters, five
 * nodes, each a process as a user starts it, and a client in the tests' own process, which is a sixth place on that network.
 *
 *   h1: NATS, n1    h2: NATS, n2    h3: NATS, n3    h4: master m4, n4    h5: master m5, n5
 *
 * So a master, a server of NATS or a majority can be cut off by itself. All hosts have one disk, and the tests use that: tasks of a
 * job say by files when they begin, and wait for files that let them go on (`fixtures/gated-words.ts`), so that what a test breaks it
 * breaks at a known moment.
 */
import assert from "node:assert/strict";
import type { spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import type { JobEvent } from "../../src/client/master-api.ts";
import { Disco, resultIterator } from "../../src/index.ts";
import { skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { gatedReduce, gatedWords } from "./fixtures/gated-words.ts";
import { type Hosts, openHosts, whyNoHosts } from "./hosts.test-kit.ts";

import { TestProcess } from "./process.test-kit.ts";

export const hostNames = ["h1", "h2", "h3", "h4", "h5"];
export const natsHosts = ["h1", "h2", "h3"];
export const masterHosts = ["h4", "h5"];
const token = "of-the-network-tests-0123456789abcdef";
const ports = { nats: 4222, routes: 6222, monitor: 8222, master: 8989, node: 8990 };
const pollMs = 25;
const patienceMs = 60_000;

/** Why none of it can be had here; `false`: it can. */
export function whyNoNetwork(): string | false {
  return whyNoHosts() ?? skipWithoutNats();
}

export interface NetworkOptions {
  /** Hosts that run a node. Default: all. */
  readonly nodes?: readonly string[];
  readonly suspectAfter?: string;
  readonly deadAfter?: string;
}

export interface JobShape {
  readonly maps: number;
  readonly partitions?: number;
  /** Words that each map makes. Default: 300. */
  readonly words?: number;
}

/** Starts everything; resolves when a master leads and all nodes have joined. */
export async function openNetwork(options: NetworkOptions = {}): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), "disco-network-"));
  const hosts = await openHosts(hostNames);
  const network = new Network(folder, hosts, options);
  try {
    await network.start();
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
  return network;
}

export class Network implements AsyncDisposable {
  readonly hosts: Hosts;
  readonly client: Disco;
  readonly #folder: string;
  readonly #options: NetworkOptions;
  readonly #nats = new Map<string, TestProcess>();
  readonly #masters = new Map<string, TestProcess>();
  readonly #nodes = new Map<string, TestProcess>();
  #jobs = 0;

  constructor(folder: string, hosts: Hosts, options: NetworkOptions) {
    this.#folder = folder;
    this.hosts = hosts;
    this.#options = options;
    const masters = masterHosts.map((host) => `${hosts.address(host)}:${ports.master}`);
    this.client = new Disco(`disco://${masters.join(",")}`, { token });
    for (const host of natsHosts) this.#nats.set(host, this.#natsProcess(host));
    for (const host of masterHosts) this.#masters.set(host, this.#masterProcess(host));
    for (const host of options.nodes ?? hostNames) this.#nodes.set(nodeOn(host), this.nodeProcess(host, nodeOn(host)));
  }

  async start(): Promise<void> {
    await Promise.all([...this.#nats.values()].map((server) => server.start(/Server is ready/)));
    await this.natsLeader();
    await Promise.all([...this.#masters.values()].map((master) => master.start(/"serving"/)));
    await Promise.all([...this.#nodes.values()].map((node) => node.start(/"joined"/)));
  }

  master(host: string): TestProcess {
    return this.#masters.get(host) ?? assert.fail(`no master on ${host}`);
  }

  node(name: string): TestProcess {
    return this.#nodes.get(name) ?? assert.fail(`no node ${name}`);
  }

  nats(host: string): TestProcess {
    return this.#nats.get(host) ?? assert.fail(`no server of NATS on ${host}`);
  }

  /** Names of the nodes. */
  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Host of the master that leads, by its own account. */
  async leadingMaster(): Promise<string> {
    let leader: string | undefined;
    await this.until("a master leads", async () => {
      const roles = await Promise.all(masterHosts.map(async (host) => [host, await this.role(host)] as const));
      leader = roles.find(([, role]) => role === "leads")?.[0];
      return leader !== undefined;
    });
    return leader ?? "";
  }

  /** What the master says of itself: `leads`, `follows`; `undefined`: it does not answer. */
  async role(host: string): Promise<string | undefined> {
    try {
      return ((await this.ask(host, "master")) as { role?: string }).role;
    } catch {
      return undefined;
    }
  }

  /** What the API of the master on that host answers. */
  async ask(host: string, path: string, withinMs = 2_000): Promise<unknown> {
    const response = await fetch(`http://${this.hosts.address(host)}:${ports.master}/api/v1/${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(withinMs),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  }

  /** Host of the server that leads a stream whose name begins so, or JetStream itself. */
  async natsLeader(stream?: string): Promise<string> {
    let leader: string | undefined;
    await this.until(`JetStream has a leader for ${stream ?? "itself"}`, async () => {
      const said = await Promise.all(natsHosts.map((host) => this.#natsLeaderSaidBy(host, stream)));
      leader = said.find((one) => one !== undefined);
      return leader !== undefined;
    });
    return leader ?? "";
  }

  /** A host whose master follows. */
  async followingMaster(): Promise<string> {
    const leader = await this.leadingMaster();
    return masterHosts.find((host) => host !== leader) ?? assert.fail("there is one master");
  }

  /** A client that knows the master on that host only, and does not ask for long. */
  clientOf(host: string, retrySeconds: number): Disco {
    return new Disco(`disco://${this.hosts.address(host)}:${ports.master}`, { token, retrySeconds });
  }

  /** Where the node keeps its data. */
  dataDir(node: string): string {
    return join(this.#folder, node, "node", "data");
  }

  async nodeState(name: string): Promise<string | undefined> {
    return (await this.client.nodeinfo()).find((node) => node.name === name)?.state;
  }

  /** Submits a word count whose tasks wait for `open`. */
  async submit({ maps, partitions = 4, words = 300 }: JobShape, client = this.client): Promise<GatedJob> {
    const folder = join(this.#folder, `job-${this.#jobs++}`);
    mkdirSync(folder);
    const job = await client.newJob("words", jobOf(folder, maps, partitions, words));
    return new GatedJob(this, job.name, folder);
  }

  /** The records of the same job on the embedded engine, partition by partition. */
  async expected({ maps, partitions = 4, words = 300 }: JobShape): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "disco-network-alone-"));
    try {
      writeFileSync(join(folder, "open-all"), "");
      await using disco = new Disco("local", { root: folder, journal: "memory", workers: 1 });
      const job = await disco.newJob("words", jobOf(folder, maps, partitions, words));
      return await recordsOf(await job.wait());
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async until(what: string, holds: () => Promise<boolean> | boolean, withinMs = patienceMs): Promise<void> {
    for (const end = performance.now() + withinMs; !(await holds()); await passed(pollMs)) {
      assert.ok(performance.now() < end, `it takes too long until ${what}\n${this.#said()}`);
    }
  }

  /** A process of a node as a user starts it; not started. */
  nodeProcess(host: string, name: string, more: readonly string[] = []): TestProcess {
    return this.#disco(host, name, [
      ...["node", "--node", name, "--host", this.hosts.address(host), "--port", "0", "--slots", "1"],
      ...["--engine", this.#engine, "--root", join(this.#folder, name), ...more],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close().catch(() => undefined);
    const all = [...this.#nodes.values(), ...this.#masters.values(), ...this.#nats.values()];
    await Promise.all(all.map((one) => one.kill()));
    await this.hosts[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #engine(): string {
    return `nats://${natsHosts.map((host) => `${this.hosts.address(host)}:${ports.nats}`).join(",")}`;
  }

  #masterProcess(host: string): TestProcess {
    return this.#disco(host, `m${host.slice(1)}`, [
      ...["master", "--host", this.hosts.address(host), "--port", String(ports.master), "--engine", this.#engine],
      ...["--root", join(this.#folder, `master-${host}`)],
    ]);
  }

  #disco(host: string, name: string, args: readonly string[]): TestProcess {
    const { suspectAfter = "1.5s", deadAfter = "10s" } = this.#options;
    const times = ["--suspect-after", suspectAfter, "--dead-after", deadAfter];
    const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
    return new TestProcess({
      name,
      command: process.execPath,
      args: [command, ...args, "--cluster", "net", "--allow-old-engine", ...times],
      env: { DISCO_CONFIG: "none", DISCO_TOKEN: token, DISCO_MASTER: "" },
      spawn: this.#spawnOn(host),
    });
  }

  #natsProcess(host: string): TestProcess {
    const own = this.hosts.address(host);
    const file = join(this.#folder, `nats-${host}.conf`);
    const routes = natsHosts.filter((other) => other !== host).map((other) => this.#route(other));
    const lines = [
      `server_name: ${host}`,
      `listen: "${own}:${ports.nats}"`,
      `http: "${own}:${ports.monitor}"`,
      `jetstream { store_dir: ${JSON.stringify(join(this.#folder, `nats-${host}`))}, max_mem: 64MB, max_file: 1GB }`,
      `cluster { name: tests, listen: "${own}:${ports.routes}", routes: ${JSON.stringify(routes)} }`,
    ];
    writeFileSync(file, lines.join("\n"));
    return new TestProcess({
      name: `nats-${host}`,
      command: "nats-server",
      args: ["-c", file],
      spawn: this.#spawnOn(host),
    });
  }

  #route(host: string): string {
    return `nats://${this.hosts.address(host)}:${ports.routes}`;
  }

  #spawnOn(host: string): typeof spawn {
    return ((command: string, args: readonly string[], options: object) =>
      this.hosts.spawn(host, command, args, options)) as typeof spawn;
  }

  async #natsLeaderSaidBy(host: string, stream?: string): Promise<string | undefined> {
    try {
      const url = `http://${this.hosts.address(host)}:${ports.monitor}/jsz?accounts=true&streams=true`;
      const said = (await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).json()) as JetStreamStatus;
      if (stream === undefined) return said.meta_cluster?.leader;
      const streams = said.account_details?.flatMap((account) => account.stream_detail ?? []) ?? [];
      return streams.find(({ name }) => name.startsWith(stream))?.cluster?.leader;
    } catch {
      return undefined;
    }
  }

  #said(): string {
    const all = [...this.#masters, ...this.#nodes, ...this.#nats];
    return all.map(([name, { output }]) => `--- ${name}\n${output.slice(-3_000)}`).join("\n");
  }
}

interface JetStreamStatus {
  readonly meta_cluster?: { readonly leader?: string };
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
}

/** A word count whose tasks are held by files. */
export class GatedJob {
  readonly name: string;
  readonly #network: Network;
  readonly #folder: string;

  constructor(network: Network, name: string, folder: string) {
    this.#network = network;
    this.name = name;
    this.#folder = folder;
  }

  /** What began so far: stage, task and the node where. */
  began(stage: "map" | "reduce"): { readonly task: number; readonly node: string }[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const [, kind, task, node = ""] = /^began-(map|reduce)-(\d+)-(n\d+)-/.exec(name) ?? [];
      return kind === stage ? [{ task: Number(task), node }] : [];
    });
  }

  /** Resolves when a map has begun on every node. */
  async everywhere(): Promise<void> {
    await this.#network.until("all nodes work", () => {
      const nodes = new Set(this.began("map").map(({ node }) => node));
      return this.#network.nodes.every((node) => nodes.has(node));
    });
  }

  /** Lets tasks go on: `all`, `map`, `map-3` or `reduce-on-n1` … */
  open(gate: string): void {
    writeFileSync(join(this.#folder, `open-${gate}`), "");
  }

  /** Which task was given to which node, in that order: `map:3 n2`. */
  async assignments(): Promise<string[]> {
    return (await this.events()).flatMap(({ message }) => {
      const [, task, node] = /^((?:map|reduce):\d+) assigned to (n\d+)/.exec(message) ?? [];
      return task === undefined ? [] : [`${task} ${node}`];
    });
  }

  /** Waits for its end. Partition by partition, record by record. */
  async results(): Promise<string> {
    return await recordsOf(await this.#network.client.wait(this.name, { timeout: 90, pollInterval: 1 }));
  }

  async events(): Promise<JobEvent[]> {
    const events: JobEvent[] = [];
    for await (const [, event] of this.#network.client.events(this.name, 0, { follow: false })) events.push(event);
    return events;
  }
}

export function nodeOn(host: string): string {
  return `n${host.slice(1)}`;
}

function jobOf(folder: string, maps: number, partitions: number, words: number) {
  return {
    input: Array.from({ length: maps }, (_, i) => `raw://${i}`),
    map: gatedWords,
    reduce: gatedReduce,
    params: { folder, words },
    partitions,
    sort: true,
  } as const;
}

/** Partition by partition, record by record, in their order. */
async function recordsOf(results: readonly string[]): Promise<string> {
  const records: string[] = [];
  for await (const record of resultIterator([...results])) records.push(JSON.stringify(record));
  return records.join("\n");
}
