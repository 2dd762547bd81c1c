/**
 * The way to DDFS of the master in this process, for workers that jobs bring along: the same requests and answers as over HTTP, over a
 * pair of streams instead of a connection. An engine in a user's own process listens nowhere, and a daemon that does may ask for tokens
 * and certificates that its own node need not have.
 */
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { duplexPair } from "node:stream";
import { CommError } from "../../../errors.ts";
import { defaultLimits, serverOptions } from "../../../http/limits.ts";
import { sendRefusal } from "../../../http/refusal.ts";
import type { MasterDoor } from "../../../node/foreign/gateway/master-door.ts";
import type { ServedMaster } from "../../served-master.ts";
import type { Caller } from "../handler.ts";
import { isRefusal, parseTarget } from "../target.ts";
import { DdfsInterface } from "./ddfs-interface.ts";

/** Tokens of tags come in their own header. */
const caller: Caller = { scope: "submit", isGuarded: true };
const failed = { status: 500, code: "internal-error", message: "Internal server error" } as const;

export function innerDoor(master: Pick<ServedMaster, "openDdfs">): MasterDoor {
  const ddfs = new DdfsInterface(master);
  const server = http.createServer(serverOptions(defaultLimits), (request, response) => void take(request, response));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    const target = parseTarget(request.url ?? "");
    if (isRefusal(target)) return sendRefusal(request, response, "", target);
    const isApi = target.segments[0] === "api";
    const inner = isApi ? { ...target, segments: target.segments.slice(2) } : target;
    try {
      await ddfs.answer({ request, response, target: inner, caller, isApi });
    } catch {
      if (response.headersSent || response.destroyed) response.destroy();
      else sendRefusal(request, response, target.path, failed);
    }
  }

  return ({ method, path, headers, body, signal }) => {
    return new Promise((resolve, reject) => {
      const [here, there] = duplexPair();
      server.emit("connection", there);
      const length = body === null ? {} : { "content-length": String(body.length) };
      const sent = http.request(
        { method, path, signal, createConnection: () => here, headers: { ...headers, ...length, connection: "close" } },
        resolve,
      );
      sent.on("error", (cause) => {
        reject(new CommError(`the master does not answer: ${cause.message}`, { code: "peer-unreachable", cause }));
      });
      sent.end(body ?? undefined);
    });
  };
}
