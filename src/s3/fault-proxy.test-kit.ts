/** Between a client and an S3 server: passes requests on, and answers as a test says where things are to go wrong. */
import { once } from "node:events";
import http from "node:http";
import { pipeline } from "node:stream/promises";

export type Fault =
  /** An answer of its own, of S3's form. */
  | { readonly kind: "refuse"; readonly status: number; readonly code: string; readonly retryAfter?: number }
  /** The connection ends after so many bytes of the body, and after what is done meanwhile. */
  | { readonly kind: "cut"; readonly afterBytes: number; meanwhile?(): Promise<void> }
  /** The request is done, and its answer lost. */
  | { readonly kind: "lose-answer" }
  /** No answer, for as long as the client waits. */
  | { readonly kind: "silence" }
  /** So many bytes, and then silence. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The body is changed on its way. */
  | { readonly kind: "change"; change(body: Buffer): Buffer };

export interface Passing {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
}

export class FaultProxy implements AsyncDisposable {
  readonly #target: URL;
  readonly #server: http.Server;
  /** All that came. */
  readonly seen: Passing[] = [];
  /** What becomes of a request; `null`: it is passed on. */
  fault: (request: Passing) => Fault | null = () => null;
  endpoint = "";

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = http.createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy());
    });
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    const address = proxy.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    proxy.endpoint = `http://127.0.0.1:${address.port}`;
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const passing = { method, path, headers };
    this.seen.push(passing);
    const fault = this.fault(passing);
    if (fault?.kind === "silence") return;
    if (fault?.kind === "refuse") {
      request.resume();
      const body = `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>as the test says</Message></Error>`;
      const retryAfter = fault.retryAfter === undefined ? {} : { "retry-after": String(fault.retryAfter) };
      response.writeHead(fault.status, { ...retryAfter, "content-length": String(body.length) });
      response.end(method === "HEAD" ? undefined : body);
      return;
    }
    // The signature is over the name by which the client knows us.
    const { hostname, port } = this.#target;
    const passed = http.request({ hostname, port, method, path, headers, agent: false });
    void pipeline(request, passed).catch(() => passed.destroy());
    const [reply] = (await once(passed, "response")) as [http.IncomingMessage];
    if (fault?.kind === "lose-answer") {
      reply.resume();
      await once(reply, "end");
      response.destroy();
      return;
    }
    if (fault?.kind === "change") {
      const chunks: Uint8Array[] = [];
      for await (const chunk of reply as AsyncIterable<Uint8Array>) chunks.push(chunk);
      const body = fault.change(Buffer.concat(chunks));
      const { "transfer-encoding": _, ...kept } = reply.headers;
      response.writeHead(reply.statusCode ?? 0, { ...kept, "content-length": String(body.length) });
      response.end(body);
      return;
    }
    response.writeHead(reply.statusCode ?? 0, reply.headers);
    if (fault === null) {
      await pipeline(reply, response);
      return;
    }
    let left = fault.afterBytes;
    for await (const chunk of reply as AsyncIterable<Uint8Array>) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      await new Promise<void>((resolve) => response.write(part, () => resolve()));
      if (left > 0) continue;
      if (fault.kind === "cut") {
        await fault.meanwhile?.();
        response.destroy();
      }
      return;
    }
    response.end();
  }
}
