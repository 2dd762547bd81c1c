/**
 * The bus over core NATS. Subjects get the cluster's prefix; replies come below the connection's own inbox
 * (`dj.CLUSTER.inbox.NAME.TOKEN`), so that servers can allow each node its own.
 *
 * - Nobody serves a subject: the server says so at once (status 503).
 * - A server's error comes back with its code, as JSON, marked by a header.
 * - A message above the server's limit goes in parts, each with its number; they stay in order between two connections. At most
 *   `messageBytesMax` a message; what is not complete after `assemblyMs` is dropped.
 * - A request is for servers and no listener hears it: a subject is for one or the other.
 * - While the connection is lost, what is published is dropped instead of being told late, and requests fail with `bus-broken`, as
 *   do those that were on their way: their replies would not come any more.
 */
import type { Msg, MsgHdrs, Subscription } from "@nats-io/transport-node";
import { CommError, DiscoError, type RetryPolicy } from "../errors.ts";
import type { NatsEngine } from "../nats/connection.ts";
import type { Bus, BusHandler, BusListener } from "./bus.ts";
import { fromJsonBytes, toJsonBytes } from "./json.ts";
import { Assembly, messageBytesMax, partsOf } from "./nats-parts.ts";
import { anyOf } from "./subjects.ts";

const errorHeader = "Dj-Error";
const partHeader = "Dj-Part";
const noResponders = 503;
/** Of headers, below the server's limit for a whole message. */
const headersBytesMax = 1_024;
const payloadBytesByDefault = 1024 * 1024;

interface Pending {
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly subject: string;
}

interface RemoteFault {
  readonly message: string;
  readonly code: string;
  readonly retry?: RetryPolicy;
  readonly hint?: string;
}

export class NatsBus implements Bus {
  readonly #engine: NatsEngine;
  readonly #served = new Set<string>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #pending = new Map<string, Pending>();
  readonly #assembly = new Assembly();
  readonly #replies: string;
  #tokens = 0;
  #connected = true;
  #closed = false;

  /** The connection stays its owner's. */
  constructor(engine: NatsEngine) {
    this.#engine = engine;
    // Two buses of one connection do not get each other's replies.
    this.#replies = `${engine.inbox}.${crypto.randomUUID().replaceAll("-", "")}`;
    this.#listen(`${this.#replies}.*`, (message) => this.#replied(message));
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected;
  }

  request(subject: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const refusal = this.#refusal(subject, bytes) ?? (this.#connected ? undefined : broken(subject));
    if (refusal !== undefined) return Promise.reject(refusal);
    const token = `${++this.#tokens}`;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const timer = setTimeout(() => {
      reject(new CommError(`no reply from ${subject} within ${timeoutMs} ms`, { code: "bus-timeout" }));
    }, timeoutMs);
    this.#pending.set(token, { resolve, reject, subject });
    this.#send(this.#engine.prefix + subject, bytes, `${this.#replies}.${token}`);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#pending.delete(token);
    });
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (!this.#connected || this.#refusal(subject, bytes) !== undefined) return;
    this.#send(this.#engine.prefix + subject, bytes);
  }

  serve(subject: string, handler: BusHandler): () => void {
    this.#checkOpen();
    if (this.#served.has(subject)) {
      throw new DiscoError(`${subject} has a server already`, { code: "subject-taken" });
    }
    this.#served.add(subject);
    const stop = this.#listen(this.#engine.prefix + subject, (message) => {
      const name = message.subject.slice(this.#engine.prefix.length);
      // One by the full name goes before one of any last part.
      if (subject === anyOf(name) && this.#served.has(name)) return;
      void this.#answer(message, name, handler);
    });
    return () => {
      if (stop()) this.#served.delete(subject);
    };
  }

  subscribe(subject: string, listener: BusListener): () => void {
    this.#checkOpen();
    const stop = this.#listen(this.#engine.prefix + subject, (message) => {
      if (message.reply !== undefined && message.reply !== "") return;
      const bytes = this.#whole(message);
      if (bytes === null) return;
      try {
        listener(bytes, message.subject.slice(this.#engine.prefix.length));
      } catch {
        // The listener's own affair.
      }
    });
    return () => {
      stop();
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#served.clear();
    for (const { reject } of [...this.#pending.values()]) {
      reject(new CommError("the bus was closed", { code: "bus-closed" }));
    }
  }

  #listen(subject: string, take: (message: Msg) => void): () => boolean {
    const subscription = this.#engine.connection.subscribe(subject, {
      // An error here is of the subscription (its permission): requests to it end as nobody's.
      callback: (error, message) => {
        if (error === null && !this.#closed) take(message);
      },
    });
    this.#subscriptions.add(subscription);
    return () => {
      subscription.unsubscribe();
      return this.#subscriptions.delete(subscription);
    };
  }

  async #answer(message: Msg, subject: string, handler: BusHandler): Promise<void> {
    const bytes = this.#whole(message);
    if (bytes === null) return;
    let reply: Uint8Array | undefined;
    let failed = false;
    try {
      reply = await handler(bytes, subject);
      if (reply !== undefined && reply.byteLength > messageBytesMax) throw tooBig(subject, reply);
    } catch (error) {
      failed = true;
      reply = toJsonBytes(faultOf(error));
    }
    if (message.reply === undefined || message.reply === "" || this.#closed) return;
    this.#send(message.reply, reply ?? new Uint8Array(0), undefined, failed);
  }

  #replied(message: Msg): void {
    const token = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const pending = this.#pending.get(token);
    if (pending === undefined) return;
    if (message.headers?.code === noResponders) {
      pending.reject(new CommError(`nobody serves ${pending.subject}`, { code: "no-responder" }));
      return;
    }
    const bytes = this.#whole(message);
    if (bytes === null) return;
    if (message.headers?.has(errorHeader) !== true) {
      pending.resolve(bytes);
      return;
    }
    pending.reject(errorOf(bytes));
  }

  /** `null`: more parts come. */
  #whole(message: Msg): Uint8Array | null {
    const part = message.headers?.get(partHeader) ?? "";
    return part === "" ? message.data : this.#assembly.add(part, message.data);
  }

  #send(subject: string, bytes: Uint8Array, reply?: string, failed = false): void {
    const { connection } = this.#engine;
    const max = (connection.info?.max_payload ?? payloadBytesByDefault) - headersBytesMax;
    try {
      for (const { part, data } of partsOf(bytes, max)) {
        const headers = this.#headers(part, failed);
        connection.publish(subject, data, {
          ...(reply === undefined ? {} : { reply }),
          ...(headers === null ? {} : { headers }),
        });
      }
    } catch {
      // The connection was closed below the bus: lost, as messages may be (B1).
    }
  }

  #headers(part: string, failed: boolean): MsgHdrs | null {
    if (part === "" && !failed) return null;
    const headers = this.#engine.headers();
    if (part !== "") headers.set(partHeader, part);
    if (failed) headers.set(errorHeader, "1");
    return headers;
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#engine.connection.status()) {
      if (type === "disconnect") this.#broke();
      if (type === "reconnect") this.#connected = true;
      if (this.#closed) return;
    }
  }

  #broke(): void {
    this.#connected = false;
    for (const { reject, subject } of [...this.#pending.values()]) reject(broken(subject));
  }

  #checkOpen(): void {
    if (this.#closed) throw new CommError("the bus is closed", { code: "bus-closed" });
  }

  #refusal(subject: string, bytes: Uint8Array): Error | undefined {
    if (this.#closed) return new CommError("the bus is closed", { code: "bus-closed" });
    return bytes.byteLength > messageBytesMax ? tooBig(subject, bytes) : undefined;
  }
}

function broken(subject: string): CommError {
  return new CommError(`the connection to the NATS engine broke before ${subject} replied`, { code: "bus-broken" });
}

function tooBig(subject: string, { byteLength }: Uint8Array): CommError {
  const message = `a message of ${byteLength} bytes to ${subject} is over the limit of ${messageBytesMax}`;
  return new CommError(message, { code: "bus-message-too-big", retry: "never" });
}

/** Of a server that may be of another make: what cannot be read is an error as well. */
function errorOf(bytes: Uint8Array): CommError {
  try {
    const { message, ...details } = fromJsonBytes<RemoteFault>(bytes);
    return new CommError(message, details);
  } catch (cause) {
    return new CommError("the error of a remote server cannot be read", { code: "remote-error", cause });
  }
}

function faultOf(error: unknown): RemoteFault {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof DiscoError)) return { message, code: "remote-error" };
  const { code, retry, hint } = error;
  return { message, code, retry, ...(hint === undefined ? {} : { hint }) };
}
