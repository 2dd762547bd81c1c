/** A node's stream, as the master has it: what is written to it, and what comes from its node (`http-hub.ts`). */
import type { ServerResponse } from "node:http";
import type { CommError } from "../errors.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import { contentType, pingEveryMs } from "./http-stream.ts";
import type { MemoryBus } from "./memory.ts";
import { broken, RemotePeer } from "./remote-peer.ts";
import { anyOf, part } from "./subjects.ts";

/** What a node has not taken yet. Above it, it is not slow, but gone. */
const waitingBytesMax = 16 * 1024 * 1024;
/** A node's heart beats every second. */
const silentMsMax = 20_000;
const servesMax = 100;

export class HubStream {
  /** The host's name as a part of subjects. */
  readonly part: string;
  readonly peer: RemotePeer;
  readonly #host: string;
  readonly #response: ServerResponse;
  readonly #serves = new Set<string>();
  #saidAt = performance.now();
  #heardAt = performance.now();
  #open = true;

  constructor({ host, response, local }: { host: string; response: ServerResponse; local: MemoryBus }) {
    this.part = part(host);
    this.#host = host;
    this.#response = response;
    this.peer = new RemotePeer({
      local,
      name: `node ${host}`,
      send: (frame) => this.#send(frame),
      allows: (kind, subject) => mayBeFrom(this.part, kind, subject),
    });
  }

  /** From now on its node is heard and told. */
  begin(): void {
    this.#response.writeHead(200, { "content-type": contentType, "cache-control": "no-store" });
    this.#response.on("error", () => this.cut());
    this.#send(encodeFrame({ kind: "ping" }));
  }

  serves(subject: string): boolean {
    return this.#open && (this.#serves.has(subject) || this.#serves.has(anyOf(subject)));
  }

  /** Its own subjects only (HH2). */
  serve(subject: string): void {
    if (subject.startsWith(`node.${this.part}.`) && this.#serves.size < servesMax) this.#serves.add(subject);
  }

  take(frame: Frame): void {
    this.#heardAt = performance.now();
    if (frame.kind === "serve") this.serve(frame.subject);
    else if (frame.kind === "unserve") this.#serves.delete(frame.subject);
    else if (this.#open) this.peer.take(frame);
  }

  /** Now and then: is there still somebody? */
  look(): void {
    const now = performance.now();
    if (now - this.#heardAt > silentMsMax) this.cut();
    else if (now - this.#saidAt >= pingEveryMs / 2) this.#send(encodeFrame({ kind: "ping" }));
  }

  cut(error: CommError = broken(`node ${this.#host}`)): void {
    if (!this.#open) return;
    this.#open = false;
    this.#response.destroy();
    this.peer.end(error);
  }

  #send(frame: Uint8Array): boolean {
    if (!this.#open) return false;
    if (this.#response.writableLength + frame.byteLength > waitingBytesMax) {
      this.cut();
      return false;
    }
    this.#saidAt = performance.now();
    this.#response.write(frame);
    return true;
  }
}

function mayBeFrom(host: string, kind: "request" | "publish", subject: string): boolean {
  const parts = subject.split(".");
  if (parts.at(-1) !== host) return false;
  return (
    (kind === "publish" && parts.length === 2 && parts[0] === "heartbeat") ||
    (parts.length === 4 && parts[0] === "master")
  );
}
