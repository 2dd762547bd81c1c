/** A server over a fake master, and clients for it: a careful one (`ask`) and one that writes what it likes (`raw`). */
import { connect, createServer, type Socket } from "node:net";
import { openLog } from "../log.ts";
import { type FakeMaster, openFakeMaster } from "./fake-master.test-kit.ts";
import { type HttpParts, type HttpServer, serveHttp } from "./server.ts";

export interface TestServer extends AsyncDisposable {
  readonly master: FakeMaster;
  readonly server: HttpServer;
  readonly url: string;
  /** Lines of its log, at level debug. */
  readonly lines: string[];
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** Sends the text as it stands, then perhaps hangs up, and gives all that comes until the server ends the connection. */
  raw(text: string | Uint8Array, options?: { hangUp?: boolean }): Promise<string>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The body as JSON. */
  json(): unknown;
}

export type TestServerOptions = Partial<Omit<HttpParts, "settings">> & {
  readonly settings?: Partial<HttpParts["settings"]>;
  /** Further parts, made with the master. */
  readonly compose?: (master: FakeMaster) => Pick<HttpParts, "api" | "data">;
};

export async function openServer({ compose, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const master = await openFakeMaster();
  const lines: string[] = [];
  const settings = {
    host: "127.0.0.1",
    port: 0,
    node: "h",
    tokens: {},
    allowedHosts: [],
    trustedNetworks: [],
    packBytesMax: 1024 * 1024,
    ...options.settings,
  };
  const log = openLog({
    level: "debug",
    secrets: Object.values(settings.tokens),
    write: (line) => void lines.push(line),
  });
  const server = await serveHttp({
    master,
    instance: "instance-1",
    log,
    ...options,
    ...compose?.(master),
    settings,
  }).catch(async (error: unknown) => {
    await master.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await server.close();
    await master.close();
  };
  return {
    master,
    server,
    url: server.url,
    lines,
    async ask(path, init) {
      const response = await fetch(server.url + path, init);
      const text = await response.text();
      return { status: response.status, text, headers: response.headers, json: () => JSON.parse(text) as unknown };
    },
    raw: (text, { hangUp = false } = {}) =>
      new Promise((resolve, reject) => {
        const socket = connect(server.port, "127.0.0.1");
        let got = "";
        socket.setEncoding("latin1");
        socket.on("data", (part: string) => (got += part));
        // A reset after the answer is an end like any other.
        socket.on("error", (error: NodeJS.ErrnoException) => {
          if (error.code === "ECONNREFUSED") reject(error);
        });
        socket.on("close", () => resolve(got));
        if (hangUp) socket.end(text);
        else socket.write(text);
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** An open connection, e.g. to send bytes of one request at different times. */
export async function openSocket({ server }: TestServer): Promise<Socket & { got: string }> {
  const socket = Object.assign(connect(server.port, "127.0.0.1"), { got: "" });
  socket.setEncoding("latin1");
  socket.on("data", (part: string) => (socket.got += part));
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return socket;
}

/** A port that something else listens at, until `close`. */
export async function occupiedPort(): Promise<{ port: number; close(): void }> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  return { port: (other.address() as { port: number }).port, close: () => other.close() };
}

/** The status in an answer's first line. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 0);
}
