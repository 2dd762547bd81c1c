import type { MessagePort } from "node:worker_threads";
import { chunkBytes, type FromThread, type IoFailure, windowChunks } from "./messages.ts";

/**
 * The thread's end of a stream: gathers bytes into chunks, posts them and makes its caller wait while the window is full.
 */
export class ChunkWriter {
  readonly #port: MessagePort;
  readonly #signal: Int32Array;
  #chunk = new Uint8Array(0);
  #used = 0;
  #free = windowChunks;
  #wake: (() => void) | null = null;
  closed = false;
  /** `true` while the reader is slower than the source. */
  blocked = false;

  constructor(port: MessagePort, signal: Int32Array) {
    this.#port = port;
    this.#signal = signal;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length && !this.closed) {
      if (this.#chunk.length === 0) this.#chunk = new Uint8Array(chunkBytes);
      const part = bytes.subarray(at, at + this.#chunk.length - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === this.#chunk.length) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#used === 0) return;
    while (this.#free === 0 && !this.closed) {
      this.blocked = true;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.blocked = false;
    }
    if (this.closed) return;
    this.#free--;
    const chunk = this.#chunk.subarray(0, this.#used);
    this.#chunk = new Uint8Array(0);
    this.#used = 0;
    this.#post({ kind: "chunk", chunk }, [chunk.buffer]);
  }

  async end(): Promise<void> {
    await this.flush();
    this.#post({ kind: "end" });
  }

  taken(): void {
    this.#post({ kind: "taken" });
  }

  fail(error: IoFailure): void {
    this.#post({ kind: "error", error });
  }

  /** The reader took a chunk. */
  more(): void {
    this.#free++;
    this.#wake?.();
    this.#wake = null;
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
    this.#wake = null;
  }

  #post(message: FromThread, transfer: ArrayBuffer[] = []): void {
    if (this.closed) return;
    this.#port.postMessage(message, transfer);
    Atomics.add(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }
}
