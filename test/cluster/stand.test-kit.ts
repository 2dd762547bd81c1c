/**
 * A cluster of real processes on loopback: servers of NATS, masters, nodes, each with a disk of its own and, where others have to
 * find it again, a port of its own. Whatever is killed, paused or started again here is a process as a person runs it.
 *
 * Who supervises processes in production is `restore()` here: it starts what does not run, masters that were deposed among them.
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { Disco, type NodeInfo } from "disco-mapreduce";
import { freePorts, NatsServers } from "../../src/nats/server.test-kit.ts";
import { TestProcess } from "./process.test-kit.ts";

export interface ProcessStandOptions {
  /** Default 2. */
  readonly masters?: number;
  /** Names. Default: four. */
  readonly nodes?: readonly string[];
  /** Seconds after which a silent node gets no tasks, and is lost. Default 1.5 and 4. */
  readonly suspectAfter?: number;
  readonly deadAfter?: number;
  /** Servers of NATS: 3 (default), 1, or 0: the masters carry the messages themselves, which needs `journal`. */
  readonly servers?: 0 | 1 | 3;
  /** `postgres://…`, of a server that the test starts and ends. Default: NATS keeps the journal. */
  readonly journal?: string;
  /** More variables of masters and nodes. */
  readonly env?: Readonly<Record<string, string>>;
  /** How masters are spoken to: `https` where `env` gives them a certificate. Default `http`. */
  readonly scheme?: "http" | "https";
  /** What clients show. */
  readonly client?: { readonly token: string };
}

const command = join(import.meta.dirname, "..", "..", "bin", "disco.js");
const usualNodes = ["n1", "n2", "n3", "n4"];
/** Name of its cluster at the engine. */
export const standCluster = "stand";
const patienceMs = 90_000;
const pollMs = 20;
const serving = /"msg":"serving"/;
const joined = /"msg":"joined"/;
const leading = /"epoch":(\d+)[^\n]*"msg":"leading"/;

export class ProcessStand implements AsyncDisposable {
  readonly folder: string;
  readonly masters: readonly TestProcess[];
  readonly nodes: ReadonlyMap<string, TestProcess>;
  readonly #masterPorts: readonly number[];
  readonly #nats: NatsServers | null;
  readonly #options: ProcessStandOptions;
  readonly #others: TestProcess[] = [];

  private constructor(
    folder: string,
    nats: NatsServers | null,
    masterPorts: readonly number[],
    options: ProcessStandOptions,
  ) {
    const { nodes = usualNodes } = options;
    this.folder = folder;
    this.#nats = nats;
    this.#masterPorts = masterPorts;
    this.#options = options;
    this.masters = masterPorts.map((port, i) => this.#process("master", `m${i + 1}`, ["--port", `${port}`]));
    this.nodes = new Map(nodes.map((name) => [name, this.#nodeProcess(name, name)]));
  }

  /** Resolves when a master leads and all nodes have joined it. */
  static async open(options: ProcessStandOptions = {}): Promise<ProcessStand> {
    const folder = await mkdtemp(join(tmpdir(), "disco-processes-"));
    const { servers = 3 } = options;
    const nats = servers === 0 ? null : await NatsServers.start({ count: servers });
    const stand = new ProcessStand(folder, nats, await freePorts(options.masters ?? 2), options);
    try {
      await stand.restore();
    } catch (error) {
      await stand[Symbol.asyncDispose]();
      throw error;
    }
    return stand;
  }

  get nats(): NatsServers {
    return this.#nats ?? assert.fail("this stand has no NATS");
  }

  /** Base URLs. */
  get masterUrls(): readonly string[] {
    const { scheme = "http" } = this.#options;
    return this.#masterPorts.map((port) => `${scheme}://127.0.0.1:${port}`);
  }

  /** Connected to all masters. Closed by whoever asked for it. */
  client(): Disco {
    return new Disco([...this.masterUrls], this.#options.client ?? {});
  }

  /** Starts what does not run; resolves when a master leads and all nodes are up. */
  async restore(): Promise<void> {
    await this.#nats?.startAll();
    await Promise.all(this.masters.filter(({ runs }) => !runs).map((master) => master.start(serving)));
    await Promise.all([...this.nodes.values()].filter(({ runs }) => !runs).map((node) => node.start(joined)));
    await this.leader();
    await this.nodesAre("up", ...this.nodes.keys());
  }

  /** The master that leads: of those that say they do, the one of the highest epoch. */
  async leader(): Promise<TestProcess> {
    let leader: TestProcess | undefined;
    await this.until("a master leads", () => {
      [leader] = this.masters
        .filter((master) => master.runs && leading.test(master.output))
        .toSorted((a, b) => epochOf(b) - epochOf(a));
      return leader !== undefined;
    });
    assert.ok(leader !== undefined);
    return leader;
  }

  /** A master that runs and does not lead. */
  async follower(): Promise<TestProcess> {
    const leader = await this.leader();
    const follower = this.masters.find((master) => master !== leader && master.runs);
    assert.ok(follower !== undefined, "no master follows");
    return follower;
  }

  /** Kills the master that leads; milliseconds until another one says that it leads. */
  async takeover(): Promise<number> {
    const [leader, follower] = [await this.leader(), await this.follower()];
    const began = performance.now();
    await leader.kill();
    await follower.printed(leading);
    return performance.now() - began;
  }

  node(name: string): TestProcess {
    return this.nodes.get(name) ?? assert.fail(`there is no node ${name}`);
  }

  /** One more master, with other variables. It is not started. */
  moreMaster(name: string, env: Readonly<Record<string, string>>): TestProcess {
    const master = this.#process("master", name, ["--port", "0"], env);
    this.#others.push(master);
    return master;
  }

  /** Another process of that name, with another disk. It is not started. */
  secondNode(name: string, disk: string): TestProcess {
    const node = this.#nodeProcess(name, disk);
    this.#others.push(node);
    return node;
  }

  /** Below which a node has all that it stores. */
  disk(name: string): string {
    return join(this.folder, name);
  }

  /** Process id of a worker of a node that works at this moment: it has taken processor time since it was looked at before. */
  async busyWorker(name: string): Promise<number> {
    let before = new Map<number, number>();
    let busiest: { pid: number; ticks: number } | undefined;
    await this.until(`a worker of ${name} works`, async () => {
      const children = await childrenOf(this.node(name).pid);
      const known = before;
      const worked = children.flatMap(({ pid, ticks }) => {
        const since = ticks - (known.get(pid) ?? ticks);
        return since > 0 ? [{ pid, ticks: since }] : [];
      });
      [busiest] = worked.toSorted((a, b) => b.ticks - a.ticks);
      before = new Map(children.map(({ pid, ticks }) => [pid, ticks]));
      return busiest !== undefined;
    });
    assert.ok(busiest !== undefined);
    return busiest.pid;
  }

  /** What the master that leads says of a node. */
  async nodeInfo(name: string): Promise<NodeInfo | undefined> {
    await using disco = this.client();
    return (await disco.nodeinfo()).find((node) => node.name === name);
  }

  async nodesAre(state: NodeInfo["state"], ...names: readonly string[]): Promise<void> {
    await using disco = this.client();
    await this.until(`${names.join(", ")} ${state}`, async () => {
      const nodes = await disco.nodeinfo();
      return names.every((name) => nodes.some((node) => node.name === name && node.state === state));
    });
  }

  /** Kills every process of it, servers of NATS included. */
  async killAll(): Promise<void> {
    await Promise.all([this.#nats?.killAll(), ...this.#processes().map((each) => each.kill())]);
  }

  /** Asks again and again. Fails after a while, with what all processes have printed. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = performance.now() + patienceMs; !(await holds()); await passed(pollMs)) {
      assert.ok(performance.now() < end, `waited ${patienceMs} ms in vain: ${what}\n${this.printed()}`);
    }
  }

  /** All that its processes have printed since their last start. */
  printed(): string {
    return this.#processes()
      .map(({ name, output }) => `--- ${name}\n${output}`)
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    await this.#nats?.dispose();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #processes(): TestProcess[] {
    return [...this.masters, ...this.nodes.values(), ...this.#others];
  }

  #nodeProcess(name: string, disk: string): TestProcess {
    return this.#process("node", disk, ["--port", "0", "--slots", "1", "--node", name]);
  }

  #process(
    role: "master" | "node",
    name: string,
    flags: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): TestProcess {
    const { suspectAfter = 1.5, deadAfter = 4, journal, env } = this.#options;
    const engine =
      this.#nats !== null
        ? ["--engine", this.#nats.url, "--allow-old-engine"]
        : role === "node"
          ? ["--engine", this.masterUrls.join(",")]
          : [];
    const keeps = role === "master" && journal !== undefined ? ["--journal", journal] : [];
    const times = ["--suspect-after", `${suspectAfter}s`, "--dead-after", `${deadAfter}s`];
    return new TestProcess({
      name,
      command: process.execPath,
      args: [
        command,
        role,
        ...engine,
        ...keeps,
        "--cluster",
        standCluster,
        "--root",
        this.disk(name),
        ...times,
        ...flags,
      ],
      env: {
        DISCO_CONFIG: "none",
        DISCO_TOKEN: "",
        DISCO_TOKEN_FILE: "",
        DISCO_MASTER: "",
        NO_COLOR: "1",
        ...env,
        ...more,
      },
    });
  }
}

function epochOf({ output }: TestProcess): number {
  return Number(leading.exec(output)?.[1] ?? -1);
}

/** Children of a process with the processor time that each has taken. */
async function childrenOf(parent: number): Promise<{ pid: number; ticks: number }[]> {
  const found: { pid: number; ticks: number }[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    try {
      // The name of the program may hold anything, and ends at the last parenthesis.
      const [, fields = ""] = /.*\)(.*)/s.exec(await readFile(`/proc/${pid}/stat`, "utf8")) ?? [];
      const [, , ppid, , , , , , , , , , user, system] = fields.split(" ");
      if (Number(ppid) === parent) found.push({ pid: Number(pid), ticks: Number(user) + Number(system) });
    } catch {
      // It has ended.
    }
  }
  return found;
}
