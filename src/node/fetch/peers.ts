/**
 * The data servers of other nodes and of masters, as a node asks them: kept connections, few at a time a server, the cluster's
 * token for these servers alone, and a certificate authority of the user's.
 */
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { networkInterfaces, hostname as ownName } from "node:os";
import { Readable } from "node:stream";
import { rootCertificates } from "node:tls";
import { CommError } from "../../errors.ts";

/** At once to one server: more would share the same line. */
const connectionsPerPeerMax = 4;
/** Without a byte for so long a connection counts as broken. */
const idleMsMax = 20_000;

export interface PeersOptions {
  /** Base URL of the data server of a node, as far as known now. */
  readonly urlOf: (host: string) => string | undefined;
  /** The cluster's. It is shown to these servers alone. */
  readonly token?: string | undefined;
  /** PEM: whom to trust besides those that the system trusts. */
  readonly ca?: string | undefined;
  /** At once to one server. Default: 4. */
  readonly connectionsMax?: number;
  /** Milliseconds without a byte after which a connection counts as broken. Default: 20,000. */
  readonly idleMs?: number;
}

export interface PeerRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** A stream is read to its end, or destroyed: also when the answer comes before. */
  readonly body?: Uint8Array | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** As in `PeersOptions`, of this request. */
  readonly idleMs?: number;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #plain: http.Agent;
  readonly #secure: https.Agent;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { ca, connectionsMax = connectionsPerPeerMax } = options;
    const kept = { keepAlive: true, maxSockets: connectionsMax, scheduling: "fifo" } as const;
    this.#plain = new http.Agent(kept);
    this.#secure = new https.Agent({ ...kept, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) });
  }

  /** @throws CommError `unknown-peer` */
  urlOf(host: string): string {
    const url = this.#options.urlOf(host);
    if (url !== undefined) return url.replace(/\/+$/, "");
    throw new CommError(`the address of node ${host} is not known`, { code: "unknown-peer", retry: "here" });
  }

  /** The answer, once its head is here; an error of it while it is read is a broken connection as well. @throws CommError `peer-unreachable` */
  ask(url: string, { method, body, headers, signal, ...more }: PeerRequest): Promise<IncomingMessage> {
    const { token, idleMs = idleMsMax } = { ...this.#options, ...more };
    const isSecure = url.startsWith("https:");
    return new Promise((resolve, reject) => {
      const sent = (isSecure ? https : http).request(
        url,
        {
          method,
          agent: isSecure ? this.#secure : this.#plain,
          signal,
          headers: {
            ...headers,
            ...(body instanceof Uint8Array ? { "content-length": String(body.byteLength) } : {}),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
        },
        resolve,
      );
      let reply: IncomingMessage | null = null;
      sent.once("response", (came) => (reply = came));
      sent.setTimeout(idleMs).on("timeout", () => {
        // Who reads may take long: what is here already waits for him, and so does the server.
        if (reply !== null && (reply.complete || reply.readableLength >= reply.readableHighWaterMark))
          sent.setTimeout(idleMs);
        else sent.destroy(new Error(`not a byte came for ${idleMs / 1000} s`));
      });
      sent.on("error", (cause) => {
        const message = `${new URL(url).origin} cannot be reached: ${cause.message}`;
        reject(new CommError(message, { code: "peer-unreachable", retry: "here", cause }));
      });
      if (!(body instanceof Readable)) {
        sent.end(body);
        return;
      }
      body.once("error", (cause) => sent.destroy(cause));
      sent.once("response", () => {
        // Refused before all of it was sent.
        if (!sent.writableFinished) body.destroy();
      });
      sent.once("close", () => body.destroy());
      body.pipe(sent);
    });
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** Whether bytes to that address stay on this machine: nodes that share one advertise its address, or its name. */
export function isLocalUrl(url: string): boolean {
  const hostname = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  if (hostname === ownName().toLowerCase()) return true;
  if (Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === hostname))) return true;
  return hostname === "localhost" || hostname === "::1" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
