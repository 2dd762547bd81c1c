/**
 * A node's end of the HTTP bus: it finds the master that leads among those that it knows, holds a stream to it, and finds the next
 * one when that ends.
 *
 *   looking ──▶ open ──(stream ends, says nothing for long, another master leads with a higher epoch)──▶ looking
 *
 * HL1. Subjects of masters (`master.…`) are asked over the stream; without one there is `no-responder`, at once. All others are of this process.
 * HL2. Posts go one after the other, each with all that has come since the last one.
 * HL3. What is on its way when a stream ends fails with `bus-broken`: nothing is sent twice.
 * HL4. A master that was cut off from its journal may believe that it leads: the others are asked now and then.
 */
import { CommError } from "../errors.ts";
import type { Bus, BusHandler, BusListener } from "./bus.ts";
import { type Asker, askMaster } from "./http-call.ts";
import { LinkStream } from "./link-stream.ts";
import { MemoryBus } from "./memory.ts";

export interface HttpLinkParts extends Asker {
  /** Base URLs. The first one is tried first. */
  readonly masters: readonly string[];
  /** For the log: a change of the master that is talked to; `null`: none is found, and why. */
  readonly changed?: (master: string | null, error?: unknown) => void;
}

const retryMsMin = 50;
const retryMsMax = 1_000;
const refusedRetryMs = 5_000;
const lookAroundMs = 3_000;

export class HttpLink implements Bus {
  readonly #parts: HttpLinkParts;
  readonly #local = new MemoryBus();
  readonly #served = new Set<string>();
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #stream: LinkStream | null = null;

  constructor(parts: HttpLinkParts) {
    this.#parts = parts;
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#stream !== null;
  }

  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const stream = this.#stream;
    if (!subject.startsWith("master.") || this.#closing.signal.aborted || stream === null) {
      return this.#local.request(subject, bytes, timeoutMs);
    }
    return stream.peer.request(subject, bytes, timeoutMs);
  }

  publish(subject: string, bytes: Uint8Array): void {
    this.#local.publish(subject, bytes);
    if (/^(?:master|heartbeat)\./.test(subject)) this.#stream?.peer.publish(subject, bytes);
  }

  serve(subject: string, handler: BusHandler): () => void {
    const stop = this.#local.serve(subject, handler);
    this.#served.add(subject);
    this.#stream?.announce();
    return () => {
      stop();
      if (this.#served.delete(subject)) this.#stream?.announce();
    };
  }

  subscribe(subject: string, listener: BusListener): () => void {
    return this.#local.subscribe(subject, listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stream?.end(new CommError("the bus was closed", { code: "bus-closed" }));
    await this.#local.close();
    await this.#running;
  }

  /** Looks for the leader and talks to it, again and again. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let next = 0;
    let retryMs = retryMsMin;
    let hint: string | null = null;
    /** Code of the failure that was told last; each is told once between two streams. */
    let said = "";
    while (!signal.aborted) {
      const master = hint ?? this.#parts.masters[next++ % this.#parts.masters.length] ?? "";
      hint = null;
      try {
        const found = await LinkStream.open({
          ...this.#parts,
          master,
          local: this.#local,
          served: this.#served,
          signal,
        });
        if (found.kind === "stream") {
          retryMs = retryMsMin;
          hint = await this.#talk(found.stream, master);
          // That it is gone was told when the stream ended; what else is wrong is news.
          said = "master-unreachable";
          continue;
        }
        hint = found.leader === master ? null : found.leader;
        if (hint !== null && retryMs === retryMsMin) {
          retryMs *= 2;
          continue;
        }
      } catch (error) {
        const code = error instanceof CommError ? error.code : "";
        if (!signal.aborted && said !== code) this.#parts.changed?.(null, error);
        said = code;
        // Tokens are not changed in a moment, and each refusal is a line in the master's log.
        if (code === "not-allowed") retryMs = refusedRetryMs;
      }
      await pause(retryMs * (0.5 + Math.random() / 2), signal);
      retryMs = Math.min(retryMs * 2, retryMsMax);
    }
  }

  /** Until the stream ends; then where to look first, if that is known. */
  async #talk(stream: LinkStream, master: string): Promise<string | null> {
    this.#stream = stream;
    // What began or stopped being served while it was opened.
    stream.announce();
    this.#parts.changed?.(master);
    const { signal } = this.#closing;
    const ended = new AbortController();
    void stream.ended.then(() => ended.abort());
    let better: string | null = null;
    const around = (async () => {
      while (!ended.signal.aborted && better === null) {
        await pause(lookAroundMs * (0.75 + Math.random() / 2), ended.signal);
        for (const other of this.#parts.masters) {
          if (ended.signal.aborted || other === master) continue;
          const answer = await askMaster({ ...this.#parts, master: other, method: "HEAD", signal: ended.signal }).catch(
            () => null,
          );
          if (answer !== null && answer.status === 200 && answer.epoch > stream.epoch) better = other;
        }
      }
      if (better !== null) stream.end();
    })();
    await stream.ended;
    this.#stream = null;
    await around;
    if (!signal.aborted) this.#parts.changed?.(null);
    return better;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
    if (signal.aborted) over();
  });
}
