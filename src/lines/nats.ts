/**
 * Lines in a stream of NATS with a fixed size. They are written in batches, one after the other, and read by sequence: what was
 * dropped before it was read is skipped, and nothing has to be set up again after an outage.
 */
import { CommError } from "../errors.ts";
import type { NatsEngine } from "../nats/connection.ts";
import { openStream } from "../nats/open-stream.ts";
import type { NatsStream } from "../nats/stream.ts";
import { Wake } from "../wake.ts";
import type { FedLine, LineFeed } from "./lines.ts";

const bytesMaxByDefault = 64 * 2 ** 20;
/** Lines that wait while one batch is written; what is above them is dropped. */
const waitingMax = 10_000;
const batchLinesMax = 100;
const readsAhead = 64;
const pollMsMax = 500;
const pollMsMin = 10;
const retryMs = 250;

/** `bytesMax`: of all lines in the stream, as the servers count. Default: 64 MiB. */
export async function openNatsLines(engine: NatsEngine, bytesMax: number = bytesMaxByDefault): Promise<LineFeed> {
  const { stream } = await openStream(engine, {
    purpose: "lines",
    subjects: ["lines"],
    settings: { discard: "old", max_bytes: bytesMax },
  });
  return new NatsLineFeed(engine, stream);
}

class NatsLineFeed implements LineFeed {
  readonly #subject: string;
  readonly #engine: NatsEngine;
  readonly #stream: NatsStream;
  readonly #waiting: FedLine[] = [];
  #writing = false;

  constructor(engine: NatsEngine, stream: NatsStream) {
    this.#engine = engine;
    this.#stream = stream;
    this.#subject = `${engine.prefix}lines`;
  }

  add(lines: readonly FedLine[]): void {
    this.#waiting.push(...lines.slice(0, Math.max(0, waitingMax - this.#waiting.length)));
    if (!this.#writing && this.#waiting.length > 0) void this.#write();
  }

  async *follow(signal: AbortSignal): AsyncGenerator<readonly FedLine[]> {
    const wake = new Wake();
    let waitMs = pollMsMin;
    const wakeUp = this.#engine.connection.subscribe(this.#subject, {
      callback: () => {
        waitMs = pollMsMin;
        wake.call();
      },
    });
    signal.addEventListener("abort", wake.call);
    try {
      for (let next = 1; !signal.aborted; ) {
        try {
          const { state } = await this.#stream.info();
          // A stream that was made anew begins at 1 again.
          next = next > state.last_seq + 1 ? 1 : Math.max(next, state.first_seq);
          while (next <= state.last_seq && !signal.aborted) {
            const count = Math.min(readsAhead, state.last_seq - next + 1);
            const lines = await this.#read(next, count);
            next += count;
            if (lines.length > 0) yield lines;
          }
        } catch (error) {
          if (!(error instanceof CommError)) throw error;
          waitMs = retryMs;
        }
        if (signal.aborted) return;
        await wake.wait(waitMs);
        waitMs = Math.min(waitMs * 2, pollMsMax);
      }
    } finally {
      signal.removeEventListener("abort", wake.call);
      wakeUp.unsubscribe();
    }
  }

  async #read(from: number, count: number): Promise<readonly FedLine[]> {
    const messages = await Promise.all(Array.from({ length: count }, (_, index) => this.#stream.get(from + index)));
    return messages.flatMap((message) =>
      message === null ? [] : (JSON.parse(Buffer.from(message.data).toString()) as FedLine[]),
    );
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#batch();
      try {
        // oxlint-disable-next-line no-await-in-loop -- In order.
        await this.#stream.publish(this.#subject, batch);
      } catch {
        // Dropped: a line is no more than a line.
      }
    }
    this.#writing = false;
  }

  /** The next lines, as many as fit in a message. */
  #batch(): Uint8Array {
    for (let count = Math.min(batchLinesMax, this.#waiting.length); ; count = Math.ceil(count / 2)) {
      const bytes = Buffer.from(JSON.stringify(this.#waiting.slice(0, count)));
      if (bytes.length > this.#stream.payloadBytesMax && count > 1) continue;
      this.#waiting.splice(0, count);
      return bytes.length > this.#stream.payloadBytesMax ? Buffer.from("[]") : bytes;
    }
  }
}
