/**
 * The I/O thread of a process: downloads and decompresses in the background for readers that block. One thread a process,
 * started when it is first needed.
 */
import { parentPort, workerData } from "node:worker_threads";
import { CommError, DiscoError } from "../../errors.ts";
import { ChunkWriter } from "./chunk-writer.ts";
import { download } from "./download.ts";
import { Inflater, release } from "./inflate.ts";
import { IoError, type IoFailure, type OpenStream, type ToThread, threadFailed, threadRuns } from "./messages.ts";

const state = workerData as Int32Array;
Atomics.store(state, 0, threadRuns);
process.on("uncaughtException", (error) => {
  Atomics.store(state, 0, threadFailed);
  process.exitCode = 1;
  process.nextTick(() => {
    throw error;
  });
});

parentPort?.on("message", (open: OpenStream) => {
  const out = new ChunkWriter(open.port, open.signal);
  const stopped = new AbortController();
  const fail = (error: unknown): void => {
    out.fail(toFailure(error, open.task.name));
  };
  const input =
    open.task.kind === "inflate"
      ? new InputQueue(new Inflater(open.task.format, open.task.name, out), out, fail)
      : null;
  open.port.on("message", (message: ToThread) => {
    switch (message.kind) {
      case "more":
        out.more();
        break;
      case "close":
        out.close();
        stopped.abort();
        input?.close();
        open.port.close();
        break;
      case "input":
        input?.add(message.chunk);
        break;
      case "input-end":
        input?.add(null);
        break;
    }
  });
  if (open.task.kind === "download") {
    download(open.task, out, stopped.signal).then(() => out.end(), fail);
  }
  if (open.task.kind === "s3") {
    const { name } = open.task;
    import("./s3-read.ts").then(({ readS3 }) => readS3(name, out, stopped.signal)).then(() => out.end(), fail);
  }
});

/** Feeds what the reader sends to the decompressor, one chunk after the other. */
class InputQueue {
  readonly #inflater: Inflater;
  readonly #out: ChunkWriter;
  readonly #fail: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(inflater: Inflater, out: ChunkWriter, fail: (error: unknown) => void) {
    this.#inflater = inflater;
    this.#out = out;
    this.#fail = fail;
  }

  /** `null`: the end. */
  add(chunk: Uint8Array | null): void {
    this.#last = this.#last
      .then(async () => {
        if (this.#failed) return;
        if (chunk === null) {
          await this.#inflater.end();
          await this.#out.end();
        } else {
          await this.#inflater.write(chunk);
          release(chunk.buffer);
          this.#out.taken();
        }
      })
      .catch((error: unknown) => {
        if (!this.#failed) this.#fail(error);
        this.#failed = true;
      });
  }

  close(): void {
    this.#failed = true;
    this.#inflater.close();
  }
}

function toFailure(error: unknown, name: string): IoFailure {
  if (error instanceof IoError) return error.failure;
  if (error instanceof DiscoError) {
    const { code, message, hint } = error;
    const kind = error instanceof CommError ? "comm" : "data";
    return { kind, code, message, ...(hint === undefined ? {} : { hint }) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "comm", code: "comm-error", message: `${name}: ${message}` };
}
