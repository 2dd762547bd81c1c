/**
 * Connections to the data servers of nodes, for blobs: a few kept ones a server, tokens for those servers alone that belong to a master
 * of ours, and no byte of a body sent before the connection stands, so that a body that nobody took can go elsewhere.
 */
import type { Agent, IncomingMessage } from "node:http";
import type { NodeRequest } from "../../blobs/http/node-blob.ts";
import { CommError } from "../../errors.ts";
import { knownServers } from "../servers.ts";

/** At once to one server. */
const connectionsMax = 16;
const connectMs = 5_000;
/** A node answers an upload when the blob is on its disk, which may be slow. */
const usualIdleMs = 120_000;

/** Nobody heard of the request: it may go elsewhere as it is. */
export const unreachedCode = "peer-unreachable";

export class NodeConnection {
  readonly #agents = new Map<string, Agent>();
  readonly #idleMs: number;

  /** `idleMs`: milliseconds without a byte after which a connection counts as broken. */
  constructor(idleMs = usualIdleMs) {
    this.#idleMs = idleMs;
  }

  /** @throws CommError `peer-unreachable` where the server cannot have heard of it; the signal's reason */
  ask(url: string, { method, headers, body, signal }: NodeRequest): Promise<IncomingMessage> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const { protocol, origin } = new URL(url);
    const client = process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
    const token = knownServers().token?.(origin);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    let isConnected = false;
    const sent = client.request(
      url,
      {
        method,
        agent: this.#agentOf(protocol),
        headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      },
      resolve,
    );
    const abort = (): void => {
      sent.destroy();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener("abort", abort, { once: true });
    const idleMs = this.#idleMs;
    let reply: IncomingMessage | null = null;
    sent.once("response", (came) => (reply = came));
    sent.setTimeout(idleMs).on("timeout", () => {
      // Who reads may take long: what is here already waits for him, and so does the server.
      if (reply !== null && (reply.complete || reply.readableLength >= reply.readableHighWaterMark))
        sent.setTimeout(idleMs);
      else sent.destroy(new Error(`not a byte came for ${idleMs / 1_000} s`));
    });
    sent.once("socket", (socket) => {
      const begin = (): void => {
        isConnected = true;
        if (body === undefined) sent.end();
        else body.pipe(sent);
      };
      if (!socket.connecting) return begin();
      const timer = setTimeout(() => sent.destroy(new Error(`no connection within ${connectMs / 1_000} s`)), connectMs);
      socket.once(protocol === "https:" ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        begin();
      });
      sent.once("close", () => clearTimeout(timer));
    });
    body?.once("error", (cause) => sent.destroy(cause));
    sent.once("response", () => {
      // Refused before all of it was sent.
      if (body !== undefined && !sent.writableFinished) body.destroy();
    });
    sent.once("close", () => {
      signal?.removeEventListener("abort", abort);
      body?.destroy();
    });
    sent.on("error", (cause) => {
      const message = `${origin} ${isConnected ? "broke off" : "cannot be reached"}: ${cause.message}`;
      // An idle connection that the server had closed meanwhile has taken nothing, unless a body went out on it.
      const isUnheard = !isConnected || (sent.reusedSocket && body === undefined);
      reject(new CommError(message, { ...(isUnheard ? { code: unreachedCode } : {}), url, cause }));
    });
    return promise;
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #agentOf(protocol: string): Agent {
    let agent = this.#agents.get(protocol);
    if (agent !== undefined) return agent;
    const client = process.getBuiltinModule(protocol === "https:" ? "node:https" : "node:http");
    agent = new client.Agent({ keepAlive: true, maxSockets: connectionsMax, scheduling: "lifo" });
    this.#agents.set(protocol, agent);
    return agent;
  }
}
