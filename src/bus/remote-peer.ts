/**
 * The other end of a stream of frames: questions to it and their answers, and its own questions, which are put to the bus of this
 * process. Both ends of the HTTP bus have one.
 *
 * RP1. A question ends once: by reply, error, time-out, or the end of the stream (`bus-broken`: nobody knows whether it was heard).
 * RP2. What waits has bounds: so many questions, and what `send` takes.
 * RP3. The other end reaches the subjects that `allows` lets it, and answers what it was asked; anything else is dropped.
 */
import { CommError, DiscoError, type RetryPolicy } from "../errors.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import type { MemoryBus } from "./memory.ts";

export interface RemotePeerParts {
  readonly local: MemoryBus;
  /** For messages: who it is. */
  readonly name: string;
  /** `false`: there is no room, or nobody. */
  readonly send: (frame: Uint8Array) => boolean;
  /** Whether the other end may say this. */
  readonly allows: (kind: "request" | "publish", subject: string) => boolean;
}

interface ErrorBody {
  readonly message: string;
  readonly code: string;
  readonly retry?: RetryPolicy;
  readonly hint?: string;
}

const pendingMax = 10_000;
const idMax = 2 ** 32 - 1;

export class RemotePeer {
  readonly #parts: RemotePeerParts;
  readonly #pending = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>();
  #lastId = 0;

  constructor(parts: RemotePeerParts) {
    this.#parts = parts;
  }

  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#pending.size >= pendingMax) return Promise.reject(this.#busy(subject));
    const id = this.#nextId();
    let frame: Uint8Array;
    try {
      frame = encodeFrame({ kind: "request", id, patienceMs: timeoutMs, subject, bytes });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending
          .get(id)
          ?.reject(new CommError(`no reply from ${subject} within ${timeoutMs} ms`, { code: "bus-timeout" }));
      }, timeoutMs);
      timer.unref();
      const settled = <T>(end: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          end(value);
        };
      };
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
      if (!this.#parts.send(frame)) this.#pending.get(id)?.reject(this.#busy(subject));
    });
  }

  /** At most once: what cannot be sent is lost. */
  publish(subject: string, bytes: Uint8Array): void {
    try {
      this.#parts.send(encodeFrame({ kind: "publish", subject, bytes }));
    } catch {
      // Too large, as `request` says.
    }
  }

  take({ kind, id, patienceMs, subject, bytes }: Frame): void {
    switch (kind) {
      case "reply":
        this.#pending.get(id)?.resolve(bytes);
        return;
      case "error":
        this.#pending.get(id)?.reject(decodeError(bytes));
        return;
      case "publish":
        if (this.#parts.allows(kind, subject)) this.#parts.local.publish(subject, bytes);
        return;
      case "request":
        void this.#answer(id, patienceMs, subject, bytes);
    }
  }

  /** The stream has ended. */
  end(error: CommError): void {
    for (const { reject } of [...this.#pending.values()]) reject(error);
  }

  async #answer(id: number, patienceMs: number, subject: string, bytes: Uint8Array): Promise<void> {
    let frame: Uint8Array;
    try {
      if (!this.#parts.allows("request", subject)) {
        throw new CommError(`${this.#parts.name} may not ask ${subject}`, { code: "not-allowed", retry: "never" });
      }
      frame = encodeFrame({ kind: "reply", id, bytes: await this.#parts.local.request(subject, bytes, patienceMs) });
    } catch (error) {
      frame = encodeFrame({ kind: "error", id, bytes: encodeError(error) });
    }
    this.#parts.send(frame);
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === idMax ? 1 : this.#lastId + 1;
    while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #busy(subject: string): CommError {
    const message = `${subject} cannot be reached: ${this.#parts.name} takes no more`;
    return new CommError(message, { code: "bus-broken" });
  }
}

export function broken(name: string, cause?: unknown): CommError {
  return new CommError(`the connection to ${name} broke before there was a reply`, { code: "bus-broken", cause });
}

const messageLengthMax = 10_000;

function encodeError(error: unknown): Uint8Array {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, messageLengthMax);
  const isOurs = error instanceof DiscoError;
  const body: ErrorBody = {
    message,
    code: isOurs ? error.code : "remote-error",
    ...(isOurs ? { retry: error.retry } : {}),
    ...(isOurs && error.hint !== undefined ? { hint: error.hint } : {}),
  };
  return Buffer.from(JSON.stringify(body), "utf8");
}

function decodeError(bytes: Uint8Array): CommError {
  try {
    const { message, code, retry, hint } = JSON.parse(Buffer.from(bytes).toString("utf8")) as ErrorBody;
    return new CommError(message, {
      code,
      ...(retry === undefined ? {} : { retry }),
      ...(hint === undefined ? {} : { hint }),
    });
  } catch (cause) {
    return new CommError("the error of a remote server cannot be read", { code: "remote-error", cause });
  }
}
