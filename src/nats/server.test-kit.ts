/**
 * Real servers of NATS for tests: one, or a cluster of three, on loopback, each with a directory of its own. They are killed, paused and
 * started again; who leads is asked at their monitoring ports, which answer also when the engine does not.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { killAtExit } from "../child-process.test-kit.ts";

const startTimeoutMs = 20_000;
const electionMsMax = 60_000;
const pollMs = 50;

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

/** What `/jsz?streams=true` tells of who leads. */
interface JetStreamState {
  readonly meta_cluster?: { readonly leader?: string };
  readonly account_details?: readonly {
    readonly stream_detail?: readonly { readonly name: string; readonly cluster?: { readonly leader?: string } }[];
  }[];
}

export class NatsServers implements AsyncDisposable {
  /** `nats://127.0.0.1:…,…` */
  readonly url: string;
  readonly ports: readonly number[];
  readonly #monitors: readonly number[];
  readonly #jetStream: boolean;
  readonly #dir: string;
  readonly #children: (ChildProcess | null)[];
  readonly #atExit = (): void => {
    for (const index of this.ports.keys()) this.signal(index, "SIGKILL");
  };

  private constructor(dir: string, ports: readonly number[], monitors: readonly number[], jetStream: boolean) {
    this.#dir = dir;
    this.ports = ports;
    this.#monitors = monitors;
    this.#jetStream = jetStream;
    this.#children = ports.map(() => null);
    process.once("exit", this.#atExit);
    this.url = `nats://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  }

  /** Base URLs of the monitoring pages. */
  get monitors(): string[] {
    return this.#monitors.map((port) => `http://127.0.0.1:${port}`);
  }

  /** Resolves when JetStream has a leader. */
  static async start(options: NatsServersOptions = {}): Promise<NatsServers> {
    const { count = 1, configuration = "", storeBytesMax, jetStream = true } = options;
    const free = await freePorts(count * 3);
    const [ports, routes] = [free.slice(0, count), free.slice(count, count * 2)];
    const dir = mkdtempSync(join(tmpdir(), "disco-nats-"));
    const servers = new NatsServers(dir, ports, free.slice(count * 2), jetStream);
    for (const [index, port] of ports.entries()) {
      const store = storeBytesMax === undefined ? "" : `max_file_store: ${storeBytesMax}`;
      const cluster = `cluster { name: test, listen: "127.0.0.1:${routes[index]}", routes: [${routes
        .map((route) => `"nats://127.0.0.1:${route}"`)
        .join(", ")}] }`;
      const lines = [
        `server_name: n${index}`,
        `listen: "127.0.0.1:${port}"`,
        `http: "127.0.0.1:${servers.#monitors[index]}"`,
        jetStream ? `jetstream { store_dir: "${join(servers.#dir, `n${index}`)}", ${store} }` : "",
        count > 1 ? cluster : "",
        configuration,
      ];
      writeFileSync(servers.#configurationFile(index), lines.join("\n"));
    }
    try {
      await servers.startAll();
    } catch (error) {
      await servers.dispose();
      throw error;
    }
    return servers;
  }

  /** Process id of one that runs. */
  pid(index: number): number {
    const pid = this.#children[index]?.pid;
    if (pid === undefined) throw new Error(`the server n${index} does not run`);
    return pid;
  }

  runs(index: number): boolean {
    return this.#children[index] != null;
  }

  /** Index of the server that leads JetStream, by its own account and by that of every other that runs. Waits for an election. */
  async leader(): Promise<number> {
    // A server alone leads itself, and does not say so.
    if (this.ports.length === 1) return 0;
    return await this.#agreed("JetStream", ({ meta_cluster: cluster }) => cluster?.leader);
  }

  /** Index of the server that leads a stream, by the account of all that run. Waits for an election. */
  async streamLeader(stream: string): Promise<number> {
    return await this.#agreed(stream, ({ account_details: accounts = [] }) => {
      const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
      return streams.find(({ name }) => name === stream)?.cluster?.leader;
    });
  }

  /** It stands still, with its connections open, as a machine does that is frozen. */
  pause(index: number): void {
    this.signal(index, "SIGSTOP");
  }

  wake(index: number): void {
    this.signal(index, "SIGCONT");
  }

  /** Whether the server says anything at all within so many milliseconds. */
  async answers(index: number, withinMs: number): Promise<boolean> {
    return (await this.#monitored(index, "varz", withinMs)) !== null;
  }

  /** `n0`, `n1`, `n2`, as JetStream names its leaders. */
  indexOf(serverName: string): number {
    return Number(serverName.slice(1));
  }

  /** Starts those that do not run; resolves when JetStream has a leader. */
  async startAll(): Promise<void> {
    await Promise.all(this.ports.map((_, index) => this.startOne(index)));
    if (this.#jetStream) await this.leader();
  }

  async startOne(index: number): Promise<void> {
    if (this.#children[index] !== null) return;
    const child = spawn("nats-server", ["-c", this.#configurationFile(index)], { stdio: ["ignore", "ignore", "pipe"] });
    killAtExit(child);
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      if (said.length < 100_000) said += chunk.toString();
    });
    this.#children[index] = child;
    const untilMs = performance.now() + startTimeoutMs;
    while (!(await greets(this.ports[index] as number))) {
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
    process.removeListener("exit", this.#atExit);
    await this.killAll();
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #agreed(what: string, leaderOf: (state: JetStreamState) => string | undefined): Promise<number> {
    const running = [...this.ports.keys()].filter((index) => this.runs(index));
    for (const end = performance.now() + electionMsMax; performance.now() < end; await delay(pollMs)) {
      const states = await Promise.all(
        running.map((index) => this.#monitored(index, "jsz?accounts=true&streams=true", startTimeoutMs)),
      );
      const said = new Set(states.map((state) => (state === null ? undefined : leaderOf(state as JetStreamState))));
      const [name = ""] = said;
      const leader = this.indexOf(name);
      if (said.size === 1 && running.includes(leader)) return leader;
    }
    throw new Error(`${what} has no leader`);
  }

  /** `null`: no answer. */
  async #monitored(index: number, path: string, withinMs: number): Promise<unknown> {
    try {
      const signal = AbortSignal.timeout(withinMs);
      return await (await fetch(`http://127.0.0.1:${this.#monitors[index]}/${path}`, { signal })).json();
    } catch {
      return null;
    }
  }

  #configurationFile(index: number): string {
    return join(this.#dir, `n${index}.conf`);
  }
}

/** Free a moment ago: for servers that are to know each other's ports, or to keep theirs when they are started again. */
export async function freePorts(count: number): Promise<number[]> {
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

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
