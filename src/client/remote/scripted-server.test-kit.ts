/** An HTTP server that does what a test says, be it that it hangs up, and notes what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { masterAddress } from "../address.ts";
import type { MasterApi, MasterInfo } from "../master-api.ts";
import { type ConnectOptions, connectMaster } from "./connect.ts";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export type Script = (asked: Asked, response: ServerResponse, nth: number) => void | Promise<void>;

export const masterInfo: MasterInfo = {
  version: "0.1.0",
  instance: "i",
  root: "/nowhere",
  pid: 1,
  epoch: 1,
  startedAt: 0,
  readOnly: false,
  alarms: [],
  scheduler: { policy: "fair", alpha: 0.5 },
  journal: { engine: "memory", durable: "memory" },
  jobs: { active: 0, ready: 0, dead: 0 },
};

export class ScriptedServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #times = new Map<string, number>();
  readonly #masters: MasterApi[] = [];
  #server: Server | null = null;
  #port = 0;
  connections = 0;

  /** `GET /api/v1/jobs/a` → what happens. A master's own state is there from the beginning. */
  constructor(scripts: Readonly<Record<string, Script>> = {}) {
    this.on("GET /api/v1/master", (_, response) => json(response, 200, masterInfo));
    for (const [what, script] of Object.entries(scripts)) this.on(what, script);
  }

  get address(): string {
    return `disco://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  on(what: string, script: Script): this {
    this.#scripts.set(what, script);
    return this;
  }

  /** How often it was asked that. */
  times(what: string): number {
    return this.#times.get(what) ?? 0;
  }

  /** Listens; the second time at the same port. */
  async listen(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on("connection", () => this.connections++);
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  /** As if the process had been killed. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async connect(options: ConnectOptions = {}): Promise<MasterApi> {
    const address = masterAddress(this.address);
    if (address === null) throw new Error("no address");
    const master = await connectMaster(address, { retrySeconds: 20, ...options });
    this.#masters.push(master);
    return master;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const master of this.#masters) await master.close();
    await this.kill();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const what = `${method} ${url.replace(/\?.*/s, "")}`;
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const asked: Asked = { method, path: url, headers, body };
    this.asked.push(asked);
    const nth = this.times(what);
    this.#times.set(what, nth + 1);
    const script = this.#scripts.get(what);
    if (script === undefined) json(response, 404, { error: { code: "not-found", message: `no ${what}` } });
    else await script(asked, response, nth);
  }
}

export function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
}

export function hangUp(response: ServerResponse): void {
  response.socket?.destroy();
}

/** An error as the API gives it. */
export function failed(
  response: ServerResponse,
  status: number,
  error: object,
  headers: Record<string, string> = {},
): void {
  json(response, status, { error }, headers);
}
