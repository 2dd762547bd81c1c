/** The bus of a single process: servers in a map, delivery in the next microtask. */
import { CommError, DiscoError } from "../errors.ts";
import { type Bus, type BusHandler, type BusListener, busMessageBytesMax } from "./bus.ts";
import { anyOf } from "./subjects.ts";

const nothing = new Uint8Array(0);

export class MemoryBus implements Bus {
  readonly connected: boolean = true;
  readonly #servers = new Map<string, BusHandler>();
  readonly #listeners = new Map<string, Set<BusListener>>();
  readonly #pending = new Set<(error: Error) => void>();
  #closed = false;

  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const refusal = this.#refusal(subject, bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(fail);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const timer = setTimeout(() => {
        fail(new CommError(`no reply from ${subject} within ${timeoutMs} ms`, { code: "bus-timeout" }));
      }, timeoutMs);
      // A reply that nobody in this process will give must not hold the process.
      timer.unref();
      this.#pending.add(fail);
      queueMicrotask(() => {
        const handler = this.#server(subject);
        if (handler === undefined) {
          fail(new CommError(`nobody serves ${subject}`, { code: "no-responder" }));
          return;
        }
        call(handler, bytes, subject).then(
          (reply) => {
            settle();
            resolve(reply);
          },
          (error: unknown) => fail(remoteError(error)),
        );
      });
    });
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (this.#refusal(subject, bytes) !== undefined) return;
    queueMicrotask(() => {
      const handler = this.#server(subject);
      // At most once: an error of the receiver is the receiver's own affair.
      if (handler !== undefined) call(handler, bytes, subject).catch(() => undefined);
      for (const listener of [
        ...(this.#listeners.get(subject) ?? []),
        ...(this.#listeners.get(anyOf(subject)) ?? []),
      ]) {
        try {
          listener(bytes, subject);
        } catch {
          // As above.
        }
      }
    });
  }

  serve(subject: string, handler: BusHandler): () => void {
    if (this.#closed) throw new CommError("the bus is closed", { code: "bus-closed" });
    if (this.#servers.has(subject)) {
      throw new DiscoError(`${subject} has a server already`, { code: "subject-taken" });
    }
    this.#servers.set(subject, handler);
    return () => {
      if (this.#servers.get(subject) === handler) this.#servers.delete(subject);
    };
  }

  subscribe(subject: string, listener: BusListener): () => void {
    if (this.#closed) throw new CommError("the bus is closed", { code: "bus-closed" });
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#servers.clear();
    this.#listeners.clear();
    for (const fail of [...this.#pending]) fail(new CommError("the bus was closed", { code: "bus-closed" }));
    return Promise.resolve();
  }

  #server(subject: string): BusHandler | undefined {
    return this.#servers.get(subject) ?? this.#servers.get(anyOf(subject));
  }

  #refusal(subject: string, bytes: Uint8Array): Error | undefined {
    if (this.#closed) return new CommError("the bus is closed", { code: "bus-closed" });
    if (bytes.byteLength > busMessageBytesMax) {
      const message = `a message of ${bytes.byteLength} bytes to ${subject} is over the limit of ${busMessageBytesMax}`;
      return new CommError(message, { code: "bus-message-too-big", retry: "never" });
    }
    return undefined;
  }
}

async function call(handler: BusHandler, bytes: Uint8Array, subject: string): Promise<Uint8Array> {
  return (await handler(bytes, subject)) ?? nothing;
}

function remoteError(cause: unknown): CommError {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (!(cause instanceof DiscoError)) return new CommError(message, { code: "remote-error", cause });
  const { code, retry, hint } = cause;
  return new CommError(message, { code, cause, retry, ...(hint === undefined ? {} : { hint }) });
}
