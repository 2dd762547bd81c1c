/**
 * The combiner: the seed's `combiner(key, value, buffer, done, params)`, one buffer a partition.
 *
 * 1. After each call that returns pairs, these go out. At the end each buffer gets a call with `done` true and without key and
 *    value; if that emitted nothing, what is left in the buffer goes out.
 * 2. Buffers are emptied in the same way when they are nearly as large as the budget (`flush-rhythm.ts`).
 *
 * Combiners that are known to look at nothing but their own key take a shorter way (`combine-by-key.ts`).
 */
import { DiscoError } from "../errors.ts";
import { unknownHash } from "../protocol/hash.ts";
import { describe } from "./describe.ts";
import type { PairWriter } from "./emit.ts";
import { entryBytes, type FlushRhythm } from "./flush-rhythm.ts";
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

export class Combiner implements PairWriter {
  readonly #fn: CombinerFn;
  readonly #params: unknown;
  readonly #writer: PairWriter;
  readonly #rhythm: FlushRhythm;
  /** A combiner that does not declare `done` does not want the last call, which has no key. */
  readonly #wantsDone: boolean;
  readonly #buffers: Map<unknown, unknown>[] = [];

  constructor(fn: CombinerFn, params: unknown, writer: PairWriter, rhythm: FlushRhythm) {
    this.#fn = fn;
    this.#params = params;
    this.#writer = writer;
    this.#rhythm = rhythm;
    const declared = parameters(fn);
    this.#wantsDone = declared.length >= 4 || declared.some((text) => text.startsWith("..."));
  }

  add(partition: number, key: unknown, value: unknown, _hash: number): void {
    const buffer = this.#bufferOf(partition);
    const result = this.#fn(key, value, buffer, false, this.#params);
    if (result !== undefined && result !== buffer) emitCombined(result, partition, this.#writer, this.#rhythm.pairsMax);
    if (this.#rhythm.tick(key, value)) this.#check();
  }

  /** Puts into a buffer what a combiner has put into another one. */
  adopt(partition: number, key: unknown, value: unknown): void {
    this.#bufferOf(partition).set(key, value);
  }

  /** Ends what the buffers hold. They may be filled again. */
  flush(): void {
    for (const [partition, buffer] of this.#buffers.entries()) {
      if (buffer === undefined) continue;
      const result = this.#wantsDone ? this.#fn(undefined, undefined, buffer, true, this.#params) : undefined;
      const emitted = result === buffer ? 0 : emitCombined(result, partition, this.#writer, this.#rhythm.pairsMax);
      if (emitted === 0) {
        for (const [key, value] of buffer) this.#writer.add(partition, key, value, unknownHash);
      }
      buffer.clear();
    }
    this.#rhythm.flushed();
  }

  #bufferOf(partition: number): Map<unknown, unknown> {
    let buffer = this.#buffers[partition];
    if (buffer === undefined) {
      buffer = new Map();
      this.#buffers[partition] = buffer;
    }
    return buffer;
  }

  #check(): void {
    let bytes = 0;
    let entries = 0;
    for (const buffer of this.#buffers) {
      if (buffer === undefined) continue;
      entries += buffer.size;
      for (const [key, value] of buffer) bytes += roughBytes(key) + roughBytes(value) + entryBytes;
      if (bytes > this.#rhythm.fullBytes) break;
    }
    if (this.#rhythm.measured(bytes, entries)) this.flush();
  }
}

/** Writes the pairs that a combiner returned, not more than `pairsMax`, and tells how many there were. */
export function emitCombined(result: unknown, partition: number, writer: PairWriter, pairsMax: number): number {
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
  for (const pair of result) {
    if (count === pairsMax) throw endless(pairsMax);
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new DiscoError(`combiner emitted ${describe(pair)}: a pair [key, value] was expected`, {
        code: "bad-result",
      });
    }
    writer.add(partition, pair[0], pair[1], unknownHash);
    count++;
  }
  return count;
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
