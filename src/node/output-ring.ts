/** The last bytes that a worker process wrote to its stdout or stderr: what a crash report quotes. */

/** Enough for V8's out-of-memory report and a long stack; a flood beyond it is counted and dropped. */
export const outputRingBytesMax = 64 * 1024;

export class OutputRing {
  readonly #chunks: Uint8Array[] = [];
  #held = 0;
  #total = 0;

  /** Bytes written in all, those dropped included. */
  get total(): number {
    return this.#total;
  }

  /** Bytes that came and were dropped. */
  get dropped(): number {
    return this.#total - Math.min(this.#held, outputRingBytesMax);
  }

  push(chunk: Uint8Array): void {
    this.#total += chunk.byteLength;
    // A copy: the stream's buffer is a slice of a pool that would be kept alive as a whole.
    const kept = Uint8Array.prototype.slice.call(chunk, Math.max(0, chunk.byteLength - outputRingBytesMax));
    this.#chunks.push(kept);
    this.#held += kept.byteLength;
    while (this.#chunks.length > 1 && this.#held - (this.#chunks[0]?.byteLength ?? 0) >= outputRingBytesMax) {
      this.#held -= this.#chunks.shift()?.byteLength ?? 0;
    }
  }

  /** The last bytes as text, at most `outputRingBytesMax` of them. */
  tail(): string {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.byteLength - outputRingBytesMax)).toString("utf8");
  }
}
