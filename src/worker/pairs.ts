/** What map and reduce may return: iterables of pairs, in all their forms. */
import { DiscoError } from "../errors.ts";
import type { SetEmitter } from "../shipping/load.ts";
import { describe } from "./describe.ts";
import type { Emit } from "./emit.ts";
import { Records } from "./storage/batch.ts";

/** Emits the pairs of a synchronous result; returns false when `result` is none (but may be a promise or an async iterable). */
export function emitSync(result: unknown, emit: Emit, name: string): boolean {
  if (Array.isArray(result)) {
    for (let i = 0; i < result.length; i++) {
      const pair: unknown = result[i];
      if (Array.isArray(pair) && pair.length === 2) emit(pair[0], pair[1]);
      else emitOdd(pair, emit, name);
    }
    return true;
  }
  if (typeof result !== "object" || result === null) return false;
  if (result instanceof Records) {
    emitBatches(result, emit);
    return true;
  }
  if (typeof (result as Partial<Iterable<unknown>>)[Symbol.iterator] !== "function") return false;
  for (const pair of result as Iterable<unknown>) {
    if (Array.isArray(pair) && pair.length === 2) emit(pair[0], pair[1]);
    else emitOdd(pair, emit, name);
  }
  return true;
}

/** Our own records, without making pairs of them. */
function emitBatches(records: Records, emit: Emit): void {
  try {
    for (let batch = records.nextBatch(); batch !== null; batch = records.nextBatch()) {
      if (emit.batch === undefined) {
        const { keys, values, n } = batch;
        for (let i = 0; i < n; i++) emit(keys[i], values[i]);
      } else emit.batch(batch);
    }
  } catch (error) {
    records.close();
    throw error;
  }
}

/** What `yield*` of a map or reduce does that emits by itself. */
export function emitAll(pairs: unknown, emit: Emit, name: string): void {
  if (emitSync(pairs, emit, name)) return;
  // Strings are iterable, of characters; with all else V8 would stop here as well.
  if (typeof pairs !== "string") throw new TypeError(`${describe(pairs)} is not iterable`);
  for (const pair of pairs) emitOdd(pair, emit, name);
}

/** Emits the pairs of a promise or async iterable, or throws what is wrong with `result`. */
export async function emitAsync(result: unknown, emit: Emit, name: string): Promise<void> {
  const settled = isThenable(result) ? await result : result;
  if (emitSync(settled, emit, name)) return;
  if (typeof settled === "object" && settled !== null && Symbol.asyncIterator in settled) {
    for await (const pair of settled as AsyncIterable<unknown>) {
      if (Array.isArray(pair) && pair.length === 2) emit(pair[0], pair[1]);
      else emitOdd(pair, emit, name);
    }
    return;
  }
  throw badResult(settled, name);
}

/** Runs a function that emits by itself, with `emit` for its pairs. */
export function withEmitter(setEmitter: SetEmitter, emit: Emit, name: string, work: () => void): void {
  setEmitter(emit, (pairs) => emitAll(pairs, emit, name));
  try {
    work();
  } finally {
    setEmitter(afterTask, afterTask);
  }
}

function afterTask(): void {
  throw new TypeError("a pair was emitted after its task");
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as Partial<PromiseLike<unknown>>).then === "function"
  );
}

/** Whether a result that `emitSync` refused is one for `emitAsync`. */
export function isAsyncResult(value: unknown): boolean {
  return isThenable(value) || (typeof value === "object" && value !== null && Symbol.asyncIterator in value);
}

export function badResult(result: unknown, name: string): DiscoError {
  return new DiscoError(`${name} returned ${describe(result)}, an iterable of [key, value] was expected`, {
    code: "bad-result",
    hint: `Return a list of pairs, or make ${name} a generator that yields them; [] emits nothing.`,
  });
}

/** Array-likes of length 2 pass (typed arrays, `arguments`); anything else is an error. */
function emitOdd(pair: unknown, emit: Emit, name: string): void {
  if (typeof pair === "object" && pair !== null && (pair as ArrayLike<unknown>).length === 2) {
    emit((pair as ArrayLike<unknown>)[0], (pair as ArrayLike<unknown>)[1]);
    return;
  }
  const isFlat = typeof pair === "string" || typeof pair === "number";
  throw new DiscoError(`${name} emitted ${describe(pair)}, a pair [key, value] was expected`, {
    code: "bad-result",
    ...(isFlat ? { hint: `For a single pair return [[key, value]], a list of one pair.` } : {}),
  });
}
