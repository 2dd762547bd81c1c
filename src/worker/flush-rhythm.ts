/**
 * When a combiner's buffers are measured, and when they are full. Measuring visits every entry, so it is done rarely, but before the
 * buffers can be larger than the budget.
 *
 * 1. What decides are the records alone, never the heap, so that every attempt of a task writes the same bytes.
 * 2. Between two looks buffers grow at the rate they grew until then, or by large keys and values, which are counted as they come.
 * 3. A combiner makes less of what it is given. One whose call gives far more pairs than it ever got records, as one that never ends
 *    does, is stopped, before it has filled the disk.
 */
import { roughBytes } from "./rough-size.ts";

/** Records between two looks at the size of the buffers, at most, unless there are more entries than that. */
const checkRecordsMax = 65_536;
/** Emptied at this share of the budget: nearer to it, looks would follow one another ever faster. */
const fullShare = 7 / 8;
/** Keys and values above this size are counted one by one. */
const largeBytesMin = 4_096;
/** Of the budget: after large records of this size together, the buffers are looked at. */
const largeShare = 1 / 4;
/** Pairs that one call may give, whatever it was given. */
const pairsMin = 1_000_000;
/** And for each record since the buffers were emptied. */
const pairsEach = 1_000;

/** A map's entry and its slots, and what holds the value. */
export const entryBytes = 80;

export class FlushRhythm {
  /** Buffers that hold more are full. */
  readonly fullBytes: number;
  readonly #budgetBytes: number;
  readonly #largeMax: number;
  #untilCheck = 1;
  #interval = 1;
  #sinceFlush = 0;
  #largeBytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
    this.fullBytes = budgetBytes * fullShare;
    this.#largeMax = budgetBytes * largeShare;
  }

  /** Called for each record; true when the buffers shall be measured. */
  tick(key: unknown, value: unknown): boolean {
    if (typeof value === "number" && typeof key === "string" && key.length <= largeBytesMin) {
      return --this.#untilCheck === 0;
    }
    this.#largeBytes += largeBytes(key) + largeBytes(value);
    return --this.#untilCheck === 0 || this.#largeBytes > this.#largeMax;
  }

  /** Takes the measure; true when the buffers shall be emptied. */
  measured(bytes: number, entries: number): boolean {
    this.#sinceFlush += this.#interval - this.#untilCheck;
    this.#largeBytes = 0;
    if (bytes > this.fullBytes) return true;
    const perRecord = Math.max(1, bytes / this.#sinceFlush);
    const safe = Math.floor((this.#budgetBytes - bytes) / (2 * perRecord));
    // Looking costs a visit of each entry: not more often than there are entries, but for memory's sake.
    const wanted = Math.max(checkRecordsMax, entries);
    this.#interval = Math.max(1, Math.min(safe, wanted));
    this.#untilCheck = this.#interval;
    return false;
  }

  flushed(): void {
    this.#sinceFlush = 0;
    this.#largeBytes = 0;
    this.#interval = 1;
    this.#untilCheck = 1;
  }

  /** Pairs that a call may give now. */
  get pairsMax(): number {
    return pairsMin + pairsEach * (this.#sinceFlush + this.#interval - this.#untilCheck);
  }
}

/** Size of what is large enough to be counted by itself, else 0. */
function largeBytes(value: unknown): number {
  if (typeof value === "number") return 0;
  const bytes = typeof value === "string" ? value.length : roughBytes(value);
  return bytes > largeBytesMin ? bytes : 0;
}
