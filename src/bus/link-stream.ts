/** A node's stream to the master that leads, from its first byte to its end (`http-link.ts`). */
import { Agent, type IncomingMessage } from "node:http";
import { Agent as SecureAgent } from "node:https";
import type { CommError } from "../errors.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { type Asker, askMaster } from "./http-call.ts";
import { pingEveryMs, postBytesMax } from "./http-stream.ts";
import type { MemoryBus } from "./memory.ts";
import { broken, RemotePeer } from "./remote-peer.ts";
import { part } from "./subjects.ts";

export interface LinkStreamParts extends Asker {
  readonly master: string;
  readonly local: MemoryBus;
  /** Subjects that are served now. */
  readonly served: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** A master that says nothing for so long is gone. */
const silentMsMax = 5 * pingEveryMs;
/** A master hears of a node at least so often. */
const idleMsMax = 5_000;
const waitingBytesMax = 16 * 1024 * 1024;

export type Opened =
  | { readonly kind: "stream"; readonly stream: LinkStream }
  /** It follows; `leader` is whom it follows, if it knows. */
  | { readonly kind: "elsewhere"; readonly leader: string | null };

export class LinkStream {
  readonly epoch: number;
  readonly peer: RemotePeer;
  /** Resolves when it is over, however it ended. */
  readonly ended: Promise<void>;
  readonly #parts: LinkStreamParts;
  readonly #response: IncomingMessage;
  readonly #agent: Agent;
  readonly #over = new AbortController();
  readonly #watch: NodeJS.Timeout;
  readonly #resolve: () => void;
  /** What the master knows that the node serves. */
  readonly #announced: Set<string>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPosting = false;
  #heardAt = performance.now();
  #saidAt = performance.now();

  /** @throws CommError `master-unreachable`, `not-allowed` */
  static async open(parts: LinkStreamParts): Promise<Opened> {
    const own = `node.${part(parts.host)}.`;
    const serves = [...parts.served].filter((subject) => subject.startsWith(own));
    const { status, epoch, leader, response } = await askMaster({ ...parts, method: "GET", serves });
    if (status !== 200) return { kind: "elsewhere", leader };
    const stream = new LinkStream(parts, { epoch, response, serves });
    return { kind: "stream", stream };
  }

  private constructor(
    parts: LinkStreamParts,
    { epoch, response, serves }: { epoch: number; response: IncomingMessage; serves: readonly string[] },
  ) {
    this.#parts = parts;
    this.epoch = epoch;
    this.#response = response;
    this.#announced = new Set(serves);
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = parts.master.startsWith("https:")
      ? new SecureAgent({ ...options, ...(parts.ca === undefined ? {} : { ca: parts.ca }) })
      : new Agent(options);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolve = resolve;
    const { local, host } = parts;
    this.peer = new RemotePeer({
      local,
      name: `the master ${parts.master}`,
      send: (frame) => this.send(frame),
      // It is the master; but what is for another node is a mistake.
      allows: (_, subject) => !subject.startsWith("node.") || subject.startsWith(`node.${part(host)}.`),
    });
    const reader = new FrameReader();
    response.on("data", (chunk: Buffer) => {
      this.#heardAt = performance.now();
      try {
        for (const frame of reader.push(chunk)) this.peer.take(frame);
      } catch {
        // What cannot be understood ends the stream, as what breaks does.
        this.end();
      }
    });
    response.once("close", () => this.end());
    response.on("error", () => this.end());
    this.#watch = setInterval(() => this.#look(), pingEveryMs);
    if (response.destroyed) this.end();
  }

  /** Tells the master what the node serves now, as far as it does not know. */
  announce(): void {
    const { served } = this.#parts;
    for (const subject of this.#announced) if (!served.has(subject)) this.#tell("unserve", subject);
    for (const subject of served) if (!this.#announced.has(subject)) this.#tell("serve", subject);
  }

  /** `false`: it is over, or there is no room. */
  send(frame: Uint8Array): boolean {
    if (this.#over.signal.aborted || this.#waitingBytes + frame.byteLength > waitingBytesMax) return false;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.byteLength;
    if (!this.#isPosting) {
      this.#isPosting = true;
      // What is said in the same turn goes along.
      queueMicrotask(() => void this.#post());
    }
    return true;
  }

  end(error: CommError = broken(`the master ${this.#parts.master}`)): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearInterval(this.#watch);
    this.#response.destroy();
    this.#agent.destroy();
    this.peer.end(error);
    this.#resolve();
  }

  #tell(kind: "serve" | "unserve", subject: string): void {
    if (kind === "serve") this.#announced.add(subject);
    else this.#announced.delete(subject);
    this.send(encodeFrame({ kind, subject }));
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#heardAt > silentMsMax) this.end();
    else if (now - this.#saidAt > idleMsMax) this.send(encodeFrame({ kind: "ping" }));
  }

  async #post(): Promise<void> {
    const { signal } = this.#over;
    try {
      while (this.#waiting.length > 0 && !signal.aborted) {
        this.#saidAt = performance.now();
        const { status } = await askMaster({
          ...this.#parts,
          method: "POST",
          body: this.#batch(),
          agent: this.#agent,
          signal,
        });
        // It does not lead any more, or does not know this stream.
        if (status !== 204) this.end();
      }
    } catch {
      this.end();
    } finally {
      this.#isPosting = false;
    }
  }

  #batch(): Uint8Array {
    let count = 0;
    let bytes = 0;
    for (const { byteLength } of this.#waiting) {
      if (count > 0 && bytes + byteLength > postBytesMax) break;
      bytes += byteLength;
      count++;
    }
    this.#waitingBytes -= bytes;
    return Buffer.concat(this.#waiting.splice(0, count));
  }
}
