/** A master's end of the HTTP bus behind a server of its own, and nodes that are linked to it. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { HttpHub } from "./http-hub.ts";
import { HttpLink } from "./http-link.ts";
import { part } from "./subjects.ts";

export class HubUnderTest {
  readonly hub: HttpHub;
  readonly url: string;
  readonly #server: Server;
  /** What it says of itself. */
  readonly says: { epoch: number | null; leader: string | null };

  private constructor(parts: Pick<HubUnderTest, "hub" | "url" | "says">, server: Server) {
    this.hub = parts.hub;
    this.url = parts.url;
    this.says = parts.says;
    this.#server = server;
  }

  static async start(epoch: number | null = 1): Promise<HubUnderTest> {
    const says: HubUnderTest["says"] = { epoch, leader: null };
    const hub = new HttpHub({
      leads: () => (says.epoch === null ? null : { epoch: says.epoch }),
      leader: () => says.leader,
    });
    const server = createServer((request, response) => void hub.handle(request, response).catch(() => undefined));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    return new HubUnderTest({ hub, url: `http://127.0.0.1:${port}`, says }, server);
  }

  /** A node, once the master can ask it. */
  async link(host: string, session = "session 1", others: readonly string[] = []): Promise<HttpLink> {
    const link = new HttpLink({ masters: [this.url, ...others], host, session });
    await linked(this, link, host);
    return link;
  }

  /** All at once, as when it is killed. */
  async kill(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.hub.close();
  }
}

/** Resolves when the master can ask the node. */
export async function linked({ hub }: HubUnderTest, link: HttpLink, host: string): Promise<void> {
  const mark = Buffer.from(String(Math.random()));
  const subject = `node.${part(host)}.ready-${mark.toString("hex")}`;
  const stop = link.serve(subject, () => mark);
  for (;;) {
    const reply = await hub.request(subject, new Uint8Array(0), 1_000).catch(() => null);
    if (reply !== null) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  stop();
}
