/**
 * `/metrics` for Prometheus. What the master and the process know is asked for when it is scraped; what goes by (requests) is
 * counted as it goes. prom-client is loaded with the server, not with this file: programs that only embed the engine never need it.
 */
import type { Counter, Histogram, Registry } from "prom-client";
import type { MasterInfo, NodeInfo } from "../../client/master-api.ts";
import type { MasterCounts, ServedMaster } from "../served-master.ts";
import { ProcessWatch, processMetrics } from "./process-metrics.ts";

/** From what a cached answer takes to what a long poll does, in seconds. */
const durationBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

export interface ServedRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** Values of one metric: one for each set of labels. */
export type Values = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

export interface Metric {
  /** Without the prefix `disco_`. A name that ends in `_total` is a counter, any other a gauge. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly values: (scrape: Scrape) => Values;
}

/** What all metrics of one scrape are made from. */
export interface Scrape {
  readonly info: MasterInfo;
  readonly nodes: readonly NodeInfo[];
  readonly counts: MasterCounts;
  readonly connections: number;
  readonly process: ProcessWatch;
}

type Client = typeof import("prom-client");

export class Metrics {
  readonly #registry: Registry;
  readonly #requests: Counter;
  readonly #durations: Histogram;
  readonly #refused: Counter;
  readonly #process = new ProcessWatch();
  readonly #master: ServedMaster;
  readonly #connections: () => Promise<number>;
  #scrape: Scrape | null = null;

  private constructor(client: Client, master: ServedMaster, connections: () => Promise<number>) {
    const registry = new client.Registry();
    const registers = [registry];
    this.#master = master;
    this.#connections = connections;
    this.#registry = registry;
    this.#requests = new client.Counter({
      name: "disco_http_requests_total",
      help: "Answered requests.",
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#durations = new client.Histogram({
      name: "disco_http_request_seconds",
      help: "From the head of a request to the end of its answer; answers that wait for something included.",
      labelNames: ["route"],
      buckets: durationBuckets,
      registers,
    });
    this.#refused = new client.Counter({
      name: "disco_http_refused_total",
      help: "Requests that limits or guard refused, by the code of the refusal.",
      labelNames: ["code"],
      registers,
    });
    for (const metric of [...masterMetrics, ...processMetrics]) this.#add(client, metric);
  }

  /** `connections`: how many are open. */
  static async open(master: ServedMaster, connections: () => Promise<number>): Promise<Metrics> {
    const { default: client } = await import("prom-client");
    return new Metrics(client, master, connections);
  }

  count({ route, method, status, seconds }: ServedRequest): void {
    this.#requests.inc({ route, method: methods.has(method) ? method : "other", status });
    this.#durations.observe({ route }, seconds);
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }

  async text(): Promise<{ contentType: string; body: Buffer }> {
    const master = this.#master;
    const [info, nodes, connections] = await Promise.all([master.masterInfo(), master.nodeInfo(), this.#connections()]);
    this.#scrape = { info, nodes, connections, counts: master.counts(), process: this.#process };
    return { contentType: this.#registry.contentType, body: Buffer.from(await this.#registry.metrics(), "utf8") };
  }

  close(): void {
    this.#process.close();
  }

  /** Values are asked for at each scrape; labels that are not given any more go. */
  #add(client: Client, { name, help, labels = [], values }: Metric): void {
    const given = (): Values => (this.#scrape === null ? [] : values(this.#scrape));
    const options = { name: `disco_${name}`, help, labelNames: [...labels], registers: [this.#registry] };
    if (name.endsWith("_total")) {
      new client.Counter({
        ...options,
        collect() {
          this.reset();
          for (const [of, value] of given()) this.inc(of, value);
        },
      });
    } else {
      new client.Gauge({
        ...options,
        collect() {
          this.reset();
          for (const [of, value] of given()) this.set(of, value);
        },
      });
    }
  }
}

const masterMetrics: readonly Metric[] = [
  {
    name: "jobs",
    help: "Known jobs.",
    labels: ["status"],
    values: ({ info }) => byLabel("status", { ...info.jobs }),
  },
  {
    name: "tasks",
    help: "Tasks of active jobs; of state failed: attempts.",
    labels: ["state"],
    values: ({ counts }) => byLabel("state", { ...counts.tasks }),
  },
  {
    name: "nodes",
    help: "Nodes; a blacklisted one may be connected or not, and so on for those that are suspect, awaited, draining, quarantined or full.",
    labels: ["state"],
    values: ({ nodes }) => {
      const connected = nodes.filter((node) => node.connected).length;
      const blacklisted = nodes.filter((node) => node.blacklisted).length;
      const states = Object.fromEntries(
        ["suspect", "awaited", "draining", "quarantined", "full"].map((state) => [
          state,
          nodes.filter((node) => node.state === state).length,
        ]),
      );
      return byLabel("state", { connected, disconnected: nodes.length - connected, blacklisted, ...states });
    },
  },
  {
    name: "slots",
    help: "Worker processes that connected nodes run at once.",
    values: ({ nodes }) => one(nodes.reduce((sum, node) => sum + (node.connected ? node.slots : 0), 0)),
  },
  {
    name: "slots_used",
    help: "Tasks that run on nodes.",
    values: ({ nodes }) => one(nodes.reduce((sum, { tasks }) => sum + tasks.length, 0)),
  },
  {
    name: "disk_free_bytes",
    help: "Free bytes of a node's disk.",
    labels: ["node"],
    values: ({ nodes }) => nodes.map(({ name, diskFreeBytes }) => [{ node: name }, diskFreeBytes]),
  },
  {
    name: "read_only",
    help: "1: the master takes and starts nothing.",
    values: ({ info }) => one(info.readOnly ? 1 : 0),
  },
  {
    name: "alarms",
    help: "Alarms that are up.",
    labels: ["code"],
    values: ({ info }) => info.alarms.map(({ code }) => [{ code }, 1]),
  },
  {
    name: "leads",
    help: "1: this master decides; 0: another one does, or none.",
    values: ({ info }) => one((info.role ?? "leads") === "leads" ? 1 : 0),
  },
  {
    name: "age_seconds",
    help: "So old is what this master tells; 0 where it leads.",
    values: ({ info }) => one((info.ageMs ?? 0) / 1000),
  },
  {
    name: "journal_replicas",
    help: "Copies of every record of the journal, on as many servers.",
    labels: ["engine", "durable"],
    values: ({ info: { journal } }) => [[{ engine: journal.engine, durable: journal.durable }, journal.replicas ?? 1]],
  },
  { name: "epoch", help: "Rises with each start of the master.", values: ({ info }) => one(info.epoch) },
  { name: "submissions_total", help: "Jobs accepted.", values: ({ counts }) => one(counts.submissions) },
  {
    name: "journal_appends_total",
    help: "Records appended to the journal.",
    values: ({ counts }) => one(counts.journalAppends),
  },
  {
    name: "journal_bytes_total",
    help: "Bytes appended to the journal.",
    values: ({ counts }) => one(counts.journalBytes),
  },
  { name: "http_connections", help: "Open connections.", values: ({ connections }) => one(connections) },
];

function one(value: number): Values {
  return [[{}, value]];
}

function byLabel(label: string, counts: Readonly<Record<string, number>>): Values {
  return Object.entries(counts).map(([name, value]) => [{ [label]: name }, value]);
}
