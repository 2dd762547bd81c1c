/** What a gateway stands between in tests: a master, another node, and workers that ask. */
import { mkdir, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { serveNodeData } from "../../data-server/serve.ts";
import { OwnBlobs } from "../../ddfs/own-blobs.ts";
import { jobDirectory } from "../../job-directory.ts";

/** A server, which the test closes. */
export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** What the master was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A file of a job, and its address. */
export async function put(
  directory: string,
  host: string,
  job: string,
  file: string,
  contents: string | Buffer,
): Promise<string> {
  const path = `${jobDirectory(host, job)}/${file}`;
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), contents);
  return `disco://${host}/disco/${path}`;
}

/** A master that answers as the test says. */
export async function serveMaster(answer: (question: Asked, response: ServerResponse) => void): Promise<Served> {
  const server = http.createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const body = ((await request.toArray()) as Buffer[]).map(String).join("");
    answer({ method, url, headers, body }, response);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** The node `other`, which asks for the token. */
export async function serveOther(dataDir: string, token: string): Promise<Served> {
  const blobs = new OwnBlobs({ dataDir });
  const tokens = { admin: token };
  const server = await serveNodeData({ dataDir, node: "other", blobs, host: "127.0.0.1", port: 0, tokens });
  const close = async (): Promise<void> => {
    await server.close();
    await blobs.close();
  };
  return { url: server.url, close };
}

/** As a worker asks for an address that it was given. */
export function ask(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url.replace(/^dir:/, "http:"), init);
}

/** An answer of the master. */
export const json = (value: unknown) => (_question: Asked, response: ServerResponse) =>
  void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
