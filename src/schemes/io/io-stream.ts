/**
 * The blocking end of the I/O thread. A worker's loop over records is synchronous, so what comes over a network or out of a
 * decompressor is made in a thread, and the loop waits for the next chunk by `Atomics.wait`. A client, which must not
 * block, reads the same stream asynchronously.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { CommError, DataError } from "../../errors.ts";
import { packageModule } from "../../package-files.ts";
import {
  type FromThread,
  type OpenStream,
  type StreamTask,
  type ToThread,
  threadFailed,
  threadRuns,
} from "./messages.ts";

/** How often a blocked reader makes sure that it has missed no message. */
const waitMsMax = 1_000;

/** A thread that has not begun to run after this long never will. */
const startMsMax = 30_000;

interface IoThread {
  readonly worker: Worker;
  readonly state: Int32Array;
}

let thread: IoThread | null = null;

function ioThread(): IoThread {
  if (thread !== null && Atomics.load(thread.state, 0) !== threadFailed) return thread;
  const state = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(packageModule("schemes/io/thread"), {
    name: "disco-io",
    workerData: state,
    // Flags of the process (--input-type, --import of a runner …) are not for us.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  const started: IoThread = { worker, state };
  worker.unref();
  worker.on("error", () => Atomics.store(state, 0, threadFailed));
  worker.on("exit", () => {
    Atomics.store(state, 0, threadFailed);
    if (thread === started) thread = null;
  });
  thread = started;
  return started;
}

export class IoStream {
  readonly #url: string;
  readonly #port: MessagePort;
  readonly #signal: Int32Array;
  readonly #thread: Int32Array;
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
    const { worker, state } = ioThread();
    this.#thread = state;
    worker.postMessage(open, [port2]);
  }

  send(message: ToThread, transfer: ArrayBuffer[] = []): void {
    if (!this.#closed) this.#port.postMessage(message, transfer);
  }

  /** The next message, however long it takes. Throws what the thread reports. */
  receive(): FromThread {
    for (let waits = 0; ; waits++) {
      const seen = Atomics.load(this.#signal, 0);
      const received = receiveMessageOnPort(this.#port);
      if (received !== undefined) return this.#check(received.message as FromThread);
      const state = Atomics.load(this.#thread, 0);
      if (state === threadFailed || (state !== threadRuns && waits * waitMsMax > startMsMax)) {
        throw new CommError(`${this.#url}: the I/O thread of this process does not run`, {
          code: "io-thread",
          url: this.#url,
        });
      }
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
