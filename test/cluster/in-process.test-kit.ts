/** A cluster in one process: a master and several nodes on one bus in memory, each with a directory of its own, with real workers. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "../../src/bus/bus.ts";
import { MemoryBus } from "../../src/bus/memory.ts";
import { MemoryStore, openMemoryJournal } from "../../src/journal/memory.ts";
import { Coordinator } from "../../src/master/coordinator.ts";
import { type ClusterDdfs, openClusterDdfs } from "../../src/master/ddfs/cluster-ddfs.ts";
import { LazyKeeper } from "../../src/master/ddfs/lazy-keeper.ts";
import { EventLogs } from "../../src/master/event-log.ts";
import { indexReader } from "../../src/master/index-reader.ts";
import { JobFiles } from "../../src/master/job-files.ts";
import { JobSignals } from "../../src/master/job-signals.ts";
import { KeepAlive } from "../../src/master/keep-alive.ts";
import { LiveProgress } from "../../src/master/live-progress.ts";
import { LocalMaster } from "../../src/master/local-master.ts";
import { silentLog } from "../../src/master/log.ts";
import { type NodeDesk, openNodeDesk } from "../../src/master/node-desk.ts";
import { NodeLink } from "../../src/master/node-link.ts";
import { openRoot } from "../../src/master/root.ts";
import { createDataServer } from "../../src/node/data-server/data-server.ts";
import { Peers } from "../../src/node/fetch/peers.ts";
import { masterHost } from "../../src/node/job-directory.ts";
import { Node } from "../../src/node/node.ts";
import type { NodeOptions } from "../../src/node/node-options.ts";
import { packageVersion } from "../../src/package-version.ts";

export interface StandOptions {
  /** Names of the nodes. Default: four. */
  readonly hosts?: readonly string[];
  /** Workers of each. Default 1. */
  readonly slots?: number;
  readonly memoryLimitBytes?: number;
  readonly workerScript?: string;
  readonly suspicionMs?: number;
  readonly deathMs?: number;
  /** More options of a node, by name. */
  readonly options?: (host: string, dataDir: string) => Partial<NodeOptions>;
}

const usualHosts = ["n1", "n2", "n3", "n4"];
const usualMemoryBytes = 2 ** 28;

/** One master, which can be ended and followed by another one on the same journal; nodes go on meanwhile. */
export class Stand implements AsyncDisposable {
  readonly bus: Bus = new MemoryBus();
  readonly folder: string;
  readonly nodes = new Map<string, Node>();
  /** Nodes that a master did not let in, and why. */
  readonly refused: { readonly host: string; readonly code: string }[] = [];
  readonly #options: StandOptions;
  readonly #store = new MemoryStore();
  readonly #waiting = new Set<() => void>();
  /** Files of whichever master leads, for nodes that take nothing from its disk. */
  readonly #server = http.createServer((request, response) => {
    const dataDir = join(this.folder, "master", "data");
    void createDataServer({ dataDir, host: masterHost })(request, response);
  });
  #master!: LocalMaster;
  #coordinator!: Coordinator;
  #desk!: NodeDesk;
  #ddfs!: ClusterDdfs;
  #keeper!: LazyKeeper;
  readonly #peers = new Peers({ urlOf: (host) => this.#desk.liveness.dataServers()[host] });

  private constructor(folder: string, options: StandOptions) {
    this.folder = folder;
    this.#options = options;
  }

  /** Resolves when all nodes have joined. */
  static async open(options: StandOptions = {}): Promise<Stand> {
    const stand = new Stand(await mkdtemp(join(tmpdir(), "disco-stand-")), options);
    await new Promise<void>((resolve) => stand.#server.listen(0, "127.0.0.1", resolve));
    await stand.startMaster();
    const hosts = options.hosts ?? usualHosts;
    for (const host of hosts) stand.startNode(host);
    await stand.until(() => hosts.every((host) => stand.isConnected(host)));
    return stand;
  }

  get master(): LocalMaster {
    return this.#master;
  }

  get coordinator(): Coordinator {
    return this.#coordinator;
  }

  get desk(): NodeDesk {
    return this.#desk;
  }

  isConnected(host: string): boolean {
    return this.#coordinator.machine.cluster.node(host)?.connected === true;
  }

  dataDir(host: string): string {
    return join(this.folder, "nodes", host);
  }

  /** Another process of the same name is another disk: `disk` names its directory. */
  startNode(host: string, disk = host): Node {
    const { slots = 1, memoryLimitBytes = usualMemoryBytes, workerScript, options } = this.#options;
    const dataDir = this.dataDir(disk);
    const node = new Node({
      host,
      dataDir,
      bus: this.bus,
      slots,
      queueDepth: 4,
      labels: {},
      master: () => "disco://localhost",
      memoryLimitBytes,
      refused: ({ code }) => {
        this.refused.push({ host, code });
        this.#changed();
      },
      ...(workerScript === undefined ? {} : { workerScript }),
      ...options?.(host, dataDir),
    });
    if (disk === host) this.nodes.set(host, node);
    node.follow();
    return node;
  }

  /** The first one, or the next after `endMaster`. */
  async startMaster(): Promise<void> {
    const { suspicionMs, deathMs } = this.#options;
    const root = join(this.folder, "master");
    const dataDir = await openRoot(root);
    const instance = randomUUID();
    const now = (): number => Date.now();
    const keepAlive = new KeepAlive();
    const nodes: NodeLink = new NodeLink(this.bus, {
      epoch: () => this.#coordinator.machine.cluster.epoch,
      tryMs: 1_000,
      assignPatienceMs: deathMs ?? 15_000,
      session: (host) => this.#desk.liveness.session(host),
      silent: (host, session) => this.#desk.liveness.silent(host, session),
    });
    const files = new JobFiles(dataDir);
    const journal = openMemoryJournal(this.#store);
    const shared = {
      nodes,
      files,
      logs: new EventLogs(dataDir),
      signals: new JobSignals(),
      progress: new LiveProgress(),
      keepAlive,
      now,
    };
    const coordinator = new Coordinator({
      ...shared,
      journal,
      writer: instance,
      takeover: "continue",
      save: (command) => keeper.save(command),
    });
    const keeper = new LazyKeeper({
      coordinator: () => coordinator,
      ddfs: async () => this.#ddfs.ddfs,
      bus: this.bus,
      readIndex: indexReader({ dataDir }),
      now,
    });
    this.#keeper = keeper;
    this.#coordinator = coordinator;
    const { port } = this.#server.address() as AddressInfo;
    const url = (): string => `http://127.0.0.1:${port}`;
    this.#desk = openNodeDesk({
      ...shared,
      bus: this.bus,
      instance,
      url,
      coordinator,
      log: silentLog,
      suspicionMs,
      deathMs,
    });
    const { engine, durable } = journal.caps;
    const { liveness } = this.#desk;
    const ddfs = (this.#ddfs = openClusterDdfs({
      coordinator,
      peers: this.#peers,
      heartbeat: (host) => liveness.heartbeat(host),
      isSuspect: (host) => liveness.isSuspect(host),
      replicas: null,
      now,
      bus: this.bus,
      instance,
      refusal: () => new Error("it leads"),
    }));
    ddfs.lead();
    this.#master = new LocalMaster({
      ...shared,
      coordinator,
      ddfs: async () => ddfs.ddfs,
      readIndex: indexReader({ dataDir }),
      dataDir,
      incomingDir: join(dataDir, "_incoming"),
      identity: {
        version: packageVersion(),
        instance,
        root,
        startedAt: now(),
        scheduler: { policy: "fair", alpha: 0.001 },
        journal: { engine, durable },
      },
      alarms: () => [],
      assertRunnable: () => undefined,
      close: () => this.endMaster(),
    });
  }

  /** It does not lead any more, and nobody hears it. */
  async endMaster(): Promise<void> {
    this.#desk.close();
    await this.#keeper.close();
    await this.#ddfs.close();
    await this.#coordinator.close();
    this.#peers.close();
  }

  /** Resolves when it is so; looked at when something happens, and often. */
  async until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 20);
        const waiting = this.#waiting;
        waiting.add(done);
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endMaster();
    for (const node of this.nodes.values()) await node.close();
    await this.bus.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
