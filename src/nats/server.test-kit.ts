/** Real servers of NATS for tests: one, or a cluster of three, on loopback, each with a directory of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const startTimeoutMs = 20_000;

/** Why tests with a real server are skipped here; `false`: they are not. For `describe(…, { skip })`. */
export function skipWithoutNats(): string | false {
  return spawnSync("nats-server", ["--version"]).error === undefined
    ? false
    : "nats-server is not on the path (apt install nats-server)";
}

export interface NatsServersOptions {
  /** 1 (default) or 3. */
  readonly count?: number;
  /** More lines of configuration, as `authorization { … }`. */
  readonly configuration?: string;
  /** Bytes on disk for JetStream. */
  readonly storeBytesMax?: number;
  readonly jetStream?: boolean;
}

export class NatsServers {
  /** `nats://127.0.0.1:…,…` */
  readonly url: string;
  readonly ports: readonly number[];
  readonly #dir: string;
  readonly #children: (ChildProcess | null)[];

  private constructor(dir: string, ports: readonly number[]) {
    this.#dir = dir;
    this.ports = ports;
    this.#children = ports.map(() => null);
    this.url = `nats://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  }

  static async start(options: NatsServersOptions = {}): Promise<NatsServers> {
    const { count = 1, configuration = "", storeBytesMax, jetStream = true } = options;
    const free = await freePorts(count * 2);
    const [ports, routes] = [free.slice(0, count), free.slice(count)];
    const servers = new NatsServers(mkdtempSync(join(tmpdir(), "disco-nats-")), ports);
    for (const [index, port] of ports.entries()) {
      const store = storeBytesMax === undefined ? "" : `max_file_store: ${storeBytesMax}`;
      const cluster = `cluster { name: test, listen: "127.0.0.1:${routes[index]}", routes: [${routes
        .map((route) => `"nats://127.0.0.1:${route}"`)
        .join(", ")}] }`;
      const lines = [
        `server_name: n${index}`,
        `listen: "127.0.0.1:${port}"`,
        jetStream ? `jetstream { store_dir: "${join(servers.#dir, `n${index}`)}", ${store} }` : "",
        count > 1 ? cluster : "",
        configuration,
      ];
      writeFileSync(servers.#configurationFile(index), lines.join("\n"));
    }
    await servers.startAll();
    return servers;
  }

  /** `n0`, `n1`, `n2`, as JetStream names its leaders. */
  indexOf(serverName: string): number {
    return Number(serverName.slice(1));
  }

  async startAll(): Promise<void> {
    await Promise.all(this.ports.map((_, index) => this.startOne(index)));
  }

  async startOne(index: number): Promise<void> {
    if (this.#children[index] !== null) return;
    const child = spawn("nats-server", ["-c", this.#configurationFile(index)], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      if (said.length < 100_000) said += chunk.toString();
    });
    this.#children[index] = child;
    const untilMs = performance.now() + startTimeoutMs;
    while (!(await answers(this.ports[index] as number))) {
      if (child.exitCode !== null || performance.now() > untilMs)
        throw new Error(`nats-server does not start:\n${said}`);
      await delay(20);
    }
  }

  signal(index: number, signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#children[index]?.kill(signal);
  }

  /** SIGKILL, and waits for its end. */
  async kill(index: number): Promise<void> {
    const child = this.#children[index];
    this.#children[index] = null;
    if (child == null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async killAll(): Promise<void> {
    await Promise.all(this.ports.map((_, index) => this.kill(index)));
  }

  /** Kills all and removes their data. */
  async dispose(): Promise<void> {
    await this.killAll();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #configurationFile(index: number): string {
    return join(this.#dir, `n${index}.conf`);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
