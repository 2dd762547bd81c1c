/** Servers of NATS with JetStream, one or three that form a cluster, on loopback, each a process with a directory of its own. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as passed } from "node:timers/promises";
import { TestProcess } from "./process.test-kit.ts";

const ready = /Server is ready/;
const electionMs = 30_000;
const pollMs = 50;

interface Ports {
  readonly client: number;
  readonly routes: number;
  readonly monitor: number;
}

/** Why there are none here; `null`: there are. */
export function whyNoNats(): string | null {
  return spawnSync("nats-server", ["--version"]).error === undefined ? null : "`nats-server` is not on the path";
}

/** Starts them; resolves when JetStream has a leader. */
export async function startNatsServers(count: 1 | 3): Promise<NatsServers> {
  const folder = await mkdtemp(join(tmpdir(), "disco-nats-"));
  const ports: Ports[] = [];
  for (const _ of Array.from({ length: count })) {
    const [client = 0, routes = 0, monitor = 0] = await freePorts(3);
    ports.push({ client, routes, monitor });
  }
  const servers = new NatsServers(folder, ports);
  try {
    await servers.configure();
    await servers.start();
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
  return servers;
}

export class NatsServers implements AsyncDisposable {
  readonly #folder: string;
  readonly #ports: readonly Ports[];
  readonly #processes: readonly TestProcess[];

  constructor(folder: string, ports: readonly Ports[]) {
    this.#folder = folder;
    this.#ports = ports;
    this.#processes = ports.map(
      (_, i) => new TestProcess({ name: `n${i}`, command: "nats-server", args: ["-c", this.#file(i)] }),
    );
  }

  /** For `--engine`: all of them. */
  get url(): string {
    return `nats://${this.#ports.map(({ client }) => `127.0.0.1:${client}`).join(",")}`;
  }

  get processes(): readonly TestProcess[] {
    return this.#processes;
  }

  /** The server that leads JetStream, by its own account and by that of every other that runs. Waits for an election. */
  async leader(): Promise<number> {
    const running = this.#processes.flatMap(({ runs }, i) => (runs ? [i] : []));
    for (const end = performance.now() + electionMs; performance.now() < end; await passed(pollMs)) {
      const said = new Set(await Promise.all(running.map((i) => this.#leaderSaidBy(i))));
      const [name] = said;
      const leader = Number(name?.slice(1));
      if (said.size === 1 && running.includes(leader)) return leader;
    }
    throw new Error("JetStream has no leader");
  }

  /** Starts those that do not run; resolves when JetStream has a leader. */
  async start(): Promise<void> {
    await Promise.all(this.#processes.filter(({ runs }) => !runs).map((server) => server.start(ready)));
    await this.leader();
  }

  /** Ends all of them at once, without a word. */
  async killAll(): Promise<void> {
    await Promise.all(this.#processes.map((server) => server.kill()));
  }

  /** Whether the server says anything at all within so many milliseconds. */
  async answers(i: number, withinMs: number): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(withinMs);
      return (await fetch(`http://127.0.0.1:${this.#ports[i]?.monitor}/varz`, { signal })).ok;
    } catch {
      return false;
    }
  }

  async configure(): Promise<void> {
    for (const [i, { client, routes, monitor }] of this.#ports.entries()) {
      const others = this.#ports.filter((_, other) => other !== i).map((other) => `nats://127.0.0.1:${other.routes}`);
      const lines = [
        `server_name: n${i}`,
        `listen: "127.0.0.1:${client}"`,
        `http: "127.0.0.1:${monitor}"`,
        `jetstream { store_dir: ${JSON.stringify(join(this.#folder, `n${i}`))}, max_mem: 64MB, max_file: 1GB }`,
      ];
      if (others.length > 0) {
        lines.push(`cluster { name: tests, listen: "127.0.0.1:${routes}", routes: ${JSON.stringify(others)} }`);
      }
      await writeFile(this.#file(i), lines.join("\n"));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #file(i: number): string {
    return join(this.#folder, `n${i}.conf`);
  }

  /** A server alone leads itself. */
  async #leaderSaidBy(i: number): Promise<string | undefined> {
    if (this.#ports.length === 1) return "n0";
    try {
      const response = await fetch(`http://127.0.0.1:${this.#ports[i]?.monitor}/jsz`);
      const { meta_cluster: cluster } = (await response.json()) as { meta_cluster?: { leader?: string } };
      return cluster?.leader;
    } catch {
      return undefined;
    }
  }
}

/** Free a moment ago: servers that are to know each other's ports cannot be given 0. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  return await Promise.all(
    servers.map(async (server) => {
      const { port } = server.address() as { port: number };
      await new Promise((resolve) => server.close(resolve));
      return port;
    }),
  );
}
