/**
 * The combiner: the seed's `combiner(key, value, buffer, done, params)`, one buffer a partition.
 *
 * 1. After each call that returns pairs, these go out. At the end each buffer gets a call with `done` true and without key and
 *    value; if that emitted nothing, what is left in the buffer goes out.
 * 2. Buffers are emptied in the same way when they are nearly as large as the budget. The trigger is a function of the records
 *    alone, never of the heap, so that every attempt of a task writes the same bytes.
 * 3. Between two looks at the buffers they grow at the rate they grew until then, or by large keys and values, which are
 *    counted as they come.
 * 4. A combiner makes less of what it is given. One whose call gives far more pairs than it ever got records, as one that
 *    never ends does, is stopped, before it has filled the disk.
 */
import { DiscoError } from "../errors.ts";
import { unknownHash } from "../protocol/hash.ts";
import { describe } from "./describe.ts";
import type { PairWriter } from "./emit.ts";
import { roughBytes } from "./rough-size.ts";
import { parameters } from "./signature.ts";
import { isIterable } from "./streams/stream.ts";

export type CombinerFn = (
  key: unknown,
  value: unknown,
  buffer: Map<unknown, unknown>,
  done: boolean,
  params: unknown,
) => unknown;

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

export class Combiner implements PairWriter {
  readonly #fn: CombinerFn;
  readonly #params: unknown;
  readonly #writer: PairWriter;
  readonly #budgetBytes: number;
  /** A combiner that does not declare `done` does not want the last call, which has no key. */
  readonly #wantsDone: boolean;
  readonly #buffers: Map<unknown, unknown>[] = [];
  #untilCheck = 1;
  #interval = 1;
  #sinceFlush = 0;
  #largeBytes = 0;

  constructor(fn: CombinerFn, params: unknown, writer: PairWriter, budgetBytes: number) {
    this.#fn = fn;
    this.#params = params;
    this.#writer = writer;
    this.#budgetBytes = budgetBytes;
    const declared = parameters(fn);
    this.#wantsDone = declared.length >= 4 || declared.some((text) => text.startsWith("..."));
  }

  add(partition: number, key: unknown, value: unknown, _hash: number): void {
    let buffer = this.#buffers[partition];
    if (buffer === undefined) {
      buffer = new Map();
      this.#buffers[partition] = buffer;
    }
    const result = this.#fn(key, value, buffer, false, this.#params);
    if (result !== undefined && result !== buffer) this.#emit(partition, result);
    this.#largeBytes += largeBytes(key) + largeBytes(value);
    if (--this.#untilCheck === 0 || this.#largeBytes > this.#budgetBytes * largeShare) this.#check();
  }

  /** Ends what the buffers hold. They may be filled again. */
  flush(): void {
    for (const [partition, buffer] of this.#buffers.entries()) {
      if (buffer === undefined) continue;
      const result = this.#wantsDone ? this.#fn(undefined, undefined, buffer, true, this.#params) : undefined;
      const emitted = result === buffer ? 0 : this.#emit(partition, result);
      if (emitted === 0) {
        for (const [key, value] of buffer) this.#writer.add(partition, key, value, unknownHash);
      }
      buffer.clear();
    }
    this.#sinceFlush = 0;
    this.#largeBytes = 0;
    this.#interval = 1;
    this.#untilCheck = 1;
  }

  /** Flushes at the budget; otherwise looks again before the buffers can have reached it at the rate they grow. */
  #check(): void {
    this.#sinceFlush += this.#interval - this.#untilCheck;
    this.#largeBytes = 0;
    let bytes = 0;
    let entries = 0;
    for (const buffer of this.#buffers) {
      if (buffer === undefined) continue;
      entries += buffer.size;
      for (const [key, value] of buffer) bytes += roughBytes(key) + roughBytes(value) + entryBytes;
      if (bytes > this.#budgetBytes * fullShare) {
        this.flush();
        return;
      }
    }
    const perRecord = Math.max(1, bytes / this.#sinceFlush);
    const safe = Math.floor((this.#budgetBytes - bytes) / (2 * perRecord));
    // Looking costs a visit of each entry: not more often than there are entries, but for memory's sake.
    const wanted = Math.max(checkRecordsMax, entries);
    this.#interval = Math.max(1, Math.min(safe, wanted));
    this.#untilCheck = this.#interval;
  }

  /** Returns the number of pairs. */
  #emit(partition: number, result: unknown): number {
    // What expressions like `done || buffer.set(…)` evaluate to is no output.
    if (result === undefined || result === null || typeof result === "boolean") return 0;
    if (!isIterable(result)) {
      throw new DiscoError(
        `combiner returned ${describe(result)}: an iterable of [key, value], or nothing, was expected`,
        {
          code: "bad-result",
        },
      );
    }
    let count = 0;
    const countMax = pairsMin + pairsEach * (this.#sinceFlush + this.#interval - this.#untilCheck);
    for (const pair of result) {
      if (count === countMax) throw endless(countMax);
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new DiscoError(`combiner emitted ${describe(pair)}: a pair [key, value] was expected`, {
          code: "bad-result",
        });
      }
      this.#writer.add(partition, pair[0], pair[1], unknownHash);
      count++;
    }
    return count;
  }
}

/** Size of what is large enough to be counted by itself, else 0. */
function largeBytes(value: unknown): number {
  if (typeof value === "number") return 0;
  const bytes = typeof value === "string" ? value.length : roughBytes(value);
  return bytes > largeBytesMin ? bytes : 0;
}

function endless(pairs: number): DiscoError {
  return new DiscoError(
    `combiner emitted more than ${pairs} pairs in one call: it makes more of its records, not less`,
    {
      code: "bad-result",
      hint: "Keep results in the buffer, and return them once, or nothing: what is in it then goes out.",
    },
  );
}

/** A map's entry and its slots. */
const entryBytes = 48;
