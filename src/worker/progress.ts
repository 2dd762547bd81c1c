/**
 * Tells the node how far a task has come. Loops over records check one number in shared memory, which the watch thread raises a
 * few times a second: that is cheaper than a clock, and still right when a single record takes minutes.
 */
import type { TaskProgress } from "../protocol/messages.ts";

export interface ProgressSink {
  progress(progress: TaskProgress): void;
  status(text: string): void;
}

/** A task's counters. Loops count on their own and bring them up to date when `beat` has changed. */
export class Progress {
  /** `beat[0]` rises while time passes. */
  readonly beat: Int32Array;
  recordsIn = 0;
  recordsOut = 0;
  bytesIn = 0;
  /**
   * Bytes of text that records may be slices of, decompressed. At a given record it is the same in each attempt, whatever was read
   * ahead or twice: it decides when buffers are emptied, and so where blocks end.
   */
  textBytes = 0;
  /** Address of the input that is being read. */
  url: string | null = null;
  readonly #sink: ProgressSink;
  readonly #statusInterval: number;
  readonly #verb: string;

  constructor(beat: Int32Array, sink: ProgressSink, statusInterval: number, kind: "map" | "reduce") {
    this.beat = beat;
    this.#sink = sink;
    this.#statusInterval = statusInterval > 0 ? statusInterval : Number.POSITIVE_INFINITY;
    this.#verb = kind === "map" ? "mapped" : "reduced";
  }

  /** The number of records at which `status()` is due next. */
  nextStatus(recordsIn: number): number {
    return (Math.floor(recordsIn / this.#statusInterval) + 1) * this.#statusInterval;
  }

  /** The seed's "K items mapped". */
  status(recordsIn: number): void {
    this.#sink.status(`${recordsIn} items ${this.#verb}`);
  }

  report(recordsIn: number): void {
    this.recordsIn = recordsIn;
    this.#sink.progress({ recordsIn, bytesIn: this.bytesIn, recordsOut: this.recordsOut });
  }
}
