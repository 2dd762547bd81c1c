/** A job that counts words, with real workers, over nodes of one process with a disk and a data server each. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Grouping, JobSpec } from "../../src/core/job/spec.ts";
import { dataTokenOf } from "../../src/http/data-token.ts";
import { createDataServer, type DataServer } from "../../src/node/data-server/data-server.ts";
import type { JobData, StagePlan } from "../../src/protocol/job-data.ts";
import { encodeJobPack, jobDictOf } from "../../src/protocol/jobpack.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { Stand } from "./in-process.test-kit.ts";

const token = "of-the-cluster";
const memoryLimitBytes = 256 * 1024 * 1024;
const maps = 12;
const lines = Array.from({ length: 2_400 }, (_, i) => `w${i % 170} w${(i * 7) % 230} w${i % 50}`);

const source = `
import { task } from "disco-mapreduce";
let last = -1;
export function* map(line) {
  if (last !== task.id) task.put("from-" + (last = task.id), "value of " + task.id);
  for (const word of line.split(" ")) yield [word, 1]; }
export function* sum(pairs) {
  const counts = new Map();
  for (const [word, n] of pairs) counts.set(word, (counts.get(word) ?? 0) + n);
  yield* counts;
}
export function* values(pairs) {
  yield* sum(pairs);
  for (let i = 0; i < ${maps}; i++) yield ["put " + i, Buffer.from(task.get("from-" + i)).toString()];
}
`;

export type Shape = readonly (readonly [name: string, fn: 0 | 1 | 2, grouping: Grouping, partitions: number | null])[];
export const wordCount: Shape = [
  ["map", 0, "split", 5],
  ["reduce", 1, "group_label", null],
];
/** Sums up on each node first, and then over all. */
export const byNode: Shape = [
  ["map", 0, "split", 5],
  ["shuffle", 1, "group_node_label", null],
  ["reduce", 1, "group_label", null],
];
/** Each reduce reads what every map put out-of-band. */
export const withValues: Shape = [
  ["map", 0, "split", 5],
  ["reduce", 2, "group_label", null],
];
export const oneEach: Shape = [
  ["map", 0, "split", 5],
  ["node", 1, "group_node", null],
  ["all", 1, "group_all", null],
];

export function packOf(shape: Shape, change: Partial<JobSpec> = {}): Uint8Array {
  const stages = shape.map(
    ([name, fn, grouping, partitions], i): StagePlan => ({
      name,
      kind: i === 0 ? "map" : "reduce",
      fn,
      grouping,
      init: null,
      inputStream: [],
      outputStream: [],
      writer: null,
      combiner: null,
      partition: null,
      partitions,
      sort: i > 0,
      sortOutput: i < shape.length - 1,
      final: i === shape.length - 1,
      concurrency: 1,
    }),
  );
  const fns = ["map", "sum", "values"].map((name) => ({ kind: "export", module: 0, name, display: name }) as const);
  const url = "file:///word-count.js?disco=test";
  const data: JobData = {
    version: 1,
    code: { portable: true, modules: [{ url, format: "module", source, insertions: [] }], fns },
    stages,
    params: encodeValue({}),
    statusInterval: 0,
    seed: 7,
    memoryLimitBytes,
    requiredModules: [],
    argv: [],
  };
  const share = lines.length / maps;
  const spec: JobSpec = {
    prefix: "words",
    owner: "me",
    inputs: Array.from({ length: maps }, (_, i) => ({
      label: 0,
      size: 0,
      replicas: [`raw://${lines.slice(i * share, (i + 1) * share).join("\n")}`],
      hosts: [null],
    })),
    pipeline: stages.map(({ name, grouping }) => ({ name, grouping })),
    scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false },
    retries: 3,
    taskTimeoutMs: null,
    memoryLimitBytes,
    labels: {},
    keep: false,
    // These nodes give each other outputs, and no blobs.
    save: { results: false, oob: false },
    ...change,
  };
  return encodeJobPack({ jobdict: jobDictOf(spec), jobenvs: {}, files: {}, jobdata: encodeValue(data) });
}

/** What happens before the node answers a question for outputs. */
export type Hook = (host: string) => Promise<void>;

/** A stand whose nodes reach each other over loopback only. */
export class Cluster implements AsyncDisposable {
  readonly stand: Stand;
  readonly #servers: readonly http.Server[];

  private constructor(stand: Stand, servers: readonly http.Server[]) {
    this.stand = stand;
    this.#servers = servers;
  }

  /** `asked`: what happens before a node answers a question for outputs. */
  static async open(names: readonly string[], asked: Hook = async () => undefined): Promise<Cluster> {
    const handlers = new Map<string, DataServer>();
    const servers = names.map((host) =>
      http.createServer((request, response) => {
        // Nodes show the cluster's token, workers the one for data.
        const shown = request.headers.authorization ?? "";
        assert.ok([`Bearer ${token}`, `Bearer ${dataTokenOf(token)}`].includes(shown));
        void asked(host).then(() => handlers.get(host)?.(request, response));
      }),
    );
    const urls = new Map<string, string>();
    for (const [i, server] of servers.entries()) {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      urls.set(names[i] ?? "", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    const stand = await Stand.open({
      hosts: names,
      memoryLimitBytes,
      options: (host, dataDir) => {
        handlers.set(host, createDataServer({ dataDir, host }));
        return { url: urls.get(host) ?? "", remote: { token, patienceMs: 1_000 } };
      },
    });
    // What a test says of who reads where holds once all nodes know each other.
    await stand.until(() =>
      [...stand.nodes.values()].every((node) => Object.keys(node.dataServers).length === names.length),
    );
    return new Cluster(stand, servers);
  }

  async run(shape: Shape): Promise<string> {
    const job = await this.stand.master.submit(packOf(shape));
    return await this.results(job);
  }

  /** A digest of the results, label by label, wherever they lie. */
  async results(job: string): Promise<string> {
    const [result] = await this.stand.master.results([job], 60_000);
    assert.equal(result?.status, "ready", result?.reason ?? "");
    const parts: [string, Buffer][] = [];
    for (const index of result?.results ?? []) {
      for (const line of (await this.#read(index)).toString().trimEnd().split("\n")) {
        const [label = "", url = ""] = line.split(" ");
        parts.push([label, await this.#read(url)]);
      }
    }
    const hash = createHash("sha256");
    for (const [label, bytes] of parts.toSorted(([a], [b]) => Number(a) - Number(b))) {
      hash.update(`${label} ${bytes.length}\n`).update(bytes);
    }
    return hash.digest("hex");
  }

  /** Names of nodes that ended tasks. */
  workers(): string[] {
    const { nodes } = this.stand.coordinator.machine.cluster;
    return [...nodes.values()]
      .filter(({ tasksOk }) => tasksOk > 0)
      .map(({ host }) => host)
      .toSorted();
  }

  async #read(url: string): Promise<Buffer> {
    const [, path = "", node = ""] = /^(?:dir|disco):\/\/[^/]+\/disco\/(([^/]+)\/.*)$/.exec(url) ?? [];
    return await readFile(join(this.stand.dataDir(node), path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stand[Symbol.asyncDispose]();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

export async function alone(shape: Shape): Promise<string> {
  await using one = await Cluster.open(["n1"]);
  return await one.run(shape);
}
