/** Monitoring pages of a server of NATS as a test wants them. */
import http from "node:http";
import type { AddressInfo } from "node:net";

export type Pages = (path: string) => Promise<{ readonly status?: number; readonly json: unknown }>;

export class FakeMonitor implements AsyncDisposable {
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async open(pages: Pages): Promise<FakeMonitor> {
    const server = http.createServer((request, response) => {
      void pages(request.url ?? "").then(({ status = 200, json }) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeMonitor(server);
  }

  /** Of a server whose pages are those of a real one, but that says that it syncs each record. */
  static syncing(real: string): Promise<FakeMonitor> {
    return FakeMonitor.open(async (path) => {
      const page = (await (await fetch(real + path)).json()) as { readonly config?: object };
      return { json: path === "/jsz" ? { ...page, config: { ...page.config, sync_always: true } } : page };
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
