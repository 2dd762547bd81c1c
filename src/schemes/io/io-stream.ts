/**
 * The blocking end of the I/O thread. A worker's loop over records is synchronous, so what comes over a network or out of a
 * decompressor is made in a thread, and the loop waits for the next chunk by `Atomics.wait`. A client, which must not
 * block, reads the same stream asynchronously.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { CommError, DataError } from "../../errors.ts";
import type { FromThread, OpenStream, StreamTask, ToThread } from "./messages.ts";

/** How often a blocked reader makes sure that it has missed no message. */
const waitMsMax = 1_000;

let thread: Worker | null = null;

function ioThread(): Worker {
  if (thread === null) {
    // The extension is that of this file: .ts in a checkout, .js in the package.
    const started = new Worker(new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./thread.js", import.meta.url), {
      name: "disco-io",
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    started.unref();
    started.on("exit", () => {
      if (thread === started) thread = null;
    });
    thread = started;
  }
  return thread;
}

export class IoStream {
  readonly #url: string;
  readonly #port: MessagePort;
  readonly #signal: Int32Array;
  readonly #arrived: FromThread[] = [];
  #wake: (() => void) | null = null;
  #listening = false;
  #closed = false;

  constructor(url: string, task: StreamTask) {
    this.#url = url;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#signal = new Int32Array(new SharedArrayBuffer(4));
    const open: OpenStream = { task, port: port2, signal: this.#signal };
    ioThread().postMessage(open, [port2]);
  }

  send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    if (!this.#closed) this.#port.postMessage(message, transfer);
  }

  /** The next message, however long it takes. Throws what the thread reports. */
  receive(): FromThread {
    for (;;) {
      const seen = Atomics.load(this.#signal, 0);
      const received = receiveMessageOnPort(this.#port);
      if (received !== undefined) return this.#check(received.message as FromThread);
      Atomics.wait(this.#signal, 0, seen, waitMsMax);
    }
  }

  async receiveAsync(): Promise<FromThread> {
    if (!this.#listening) {
      this.#listening = true;
      this.#port.on("message", (message: FromThread) => {
        this.#arrived.push(message);
        this.#wake?.();
        this.#wake = null;
      });
    }
    while (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#check(this.#arrived.shift() as FromThread);
  }

  close(): void {
    if (this.#closed) return;
    this.send({ kind: "close" });
    this.#closed = true;
    this.#port.close();
  }

  #check(message: FromThread): FromThread {
    if (message.kind === "chunk") this.send({ kind: "more" });
    if (message.kind !== "error") return message;
    this.close();
    const { kind, code, message: text, hint } = message.error;
    const details = { code, url: this.#url, ...(hint === undefined ? {} : { hint }) };
    throw kind === "data" ? new DataError(text, details) : new CommError(text, details);
  }
}
