/**
 * The map loop. Entries come by the batch where the stream knows batches; results are emitted in the order of the entries,
 * whatever the functions are.
 *
 * The loop is synchronous until a call returns a promise or an async iterable. From there on calls run ahead, at most
 * `concurrency` at once, and their results are awaited in order: output is the same as if each call had been awaited
 * before the next.
 */
import type { SetEmitter } from "../shipping/load.ts";
import type { Emit } from "./emit.ts";
import { badResult, emitAsync, emitSync, isAsyncResult, isThenable, withEmitter } from "./pairs.ts";
import type { Progress } from "./progress.ts";
import { nextRecords } from "./streams/batches.ts";
import { isAsyncIterable, isIterable } from "./streams/stream.ts";

export type MapFn = (entry: unknown, params: unknown) => unknown;

export interface MapRun {
  readonly fn: MapFn;
  /** For messages. */
  readonly name: string;
  readonly params: unknown;
  readonly emit: Emit;
  /** For a map that calls its emitter instead of returning pairs (`shipping/direct-yields.ts`): gives it one. Default: none such. */
  readonly setEmitter?: SetEmitter | null;
  readonly progress: Progress;
  readonly concurrency: number;
  /** Called between batches, where the task may empty its buffers. */
  readonly onBatch: () => void;
}

/** Runs the map over a synchronous stream; a promise only where the map is async. */
export function mapAll(entries: Iterable<unknown>, run: MapRun): Promise<void> | undefined {
  const { setEmitter = null } = run;
  if (setEmitter === null) return mapReturned(entries, run);
  withEmitter(setEmitter, run.emit, run.name, () => mapDirect(entries[Symbol.iterator](), run));
  return undefined;
}

/** The map over an async stream. */
export async function mapAsync(entries: AsyncIterable<unknown>, run: MapRun): Promise<void> {
  const { setEmitter = null } = run;
  if (setEmitter === null) return mapAhead(entries, run);
  for await (const entry of entries) {
    withEmitter(setEmitter, run.emit, run.name, () => mapDirect([entry].values(), run));
  }
}

/** A map that emits by itself. What it returns is nothing, as with a generator. */
function mapDirect(iterator: Iterator<unknown>, run: MapRun): void {
  const { fn, params, progress } = run;
  const { beat } = progress;
  let seen = beat[0];
  let count = progress.recordsIn;
  let nextStatus = progress.nextStatus(count);
  for (let batch = nextRecords(iterator); batch !== null; batch = nextRecords(iterator)) {
    for (let i = 0; i < batch.length; i++) {
      fn(batch[i], params);
      if (++count === nextStatus) {
        progress.status(count);
        nextStatus = progress.nextStatus(count);
      }
      if (beat[0] !== seen) {
        seen = beat[0];
        progress.report(count);
      }
    }
    progress.recordsIn = count;
    run.onBatch();
  }
}

/** A map that returns its pairs, or yields them. */
function mapReturned(entries: Iterable<unknown>, run: MapRun): Promise<void> | undefined {
  const iterator = entries[Symbol.iterator]();
  const nextBatch = (): readonly unknown[] | null => nextRecords(iterator);
  const { fn, name, params, emit, progress } = run;
  const beat = progress.beat;
  let seen = beat[0];
  let count = 0;
  let nextStatus = progress.nextStatus(0);
  for (let batch = nextBatch(); batch !== null; batch = nextBatch()) {
    for (let i = 0; i < batch.length; i++) {
      const result = fn(batch[i], params);
      if (!emitSync(result, emit, name)) {
        if (!isAsyncResult(result)) throw badResult(result, name);
        progress.recordsIn = count;
        return mapAhead(rest(batch, i + 1, nextBatch), run, result);
      }
      if (++count === nextStatus) {
        progress.status(count);
        nextStatus = progress.nextStatus(count);
      }
      if (beat[0] !== seen) {
        seen = beat[0];
        progress.report(count);
      }
    }
    progress.recordsIn = count;
    run.onBatch();
  }
  return undefined;
}

function* rest(
  batch: readonly unknown[],
  from: number,
  nextBatch: () => readonly unknown[] | null,
): Generator<unknown, void, undefined> {
  for (let i = from; i < batch.length; i++) yield batch[i];
  for (let next = nextBatch(); next !== null; next = nextBatch()) yield* next;
}

async function mapAhead(
  entries: Iterable<unknown> | AsyncIterable<unknown>,
  run: MapRun,
  ...pending: unknown[]
): Promise<void> {
  const { fn, name, params, emit, progress } = run;
  const inFlight: unknown[] = pending.map(begin);
  let count = progress.recordsIn;
  let nextStatus = progress.nextStatus(count);
  let seen = progress.beat[0];
  const settleFirst = async (): Promise<void> => {
    const result = inFlight.shift();
    if (!emitSync(result, emit, name)) await emitAsync(result, emit, name);
    count++;
    if (count === nextStatus) {
      progress.status(count);
      nextStatus = progress.nextStatus(count);
    }
    if (progress.beat[0] !== seen) {
      seen = progress.beat[0];
      progress.report(count);
    }
    progress.recordsIn = count;
    run.onBatch();
  };
  for await (const entry of entries) {
    if (inFlight.length >= run.concurrency) await settleFirst();
    const result = fn(entry, params);
    inFlight.push(begin(result));
  }
  while (inFlight.length > 0) await settleFirst();
}

/** Pairs of an async generator that are fetched before its turn. */
const prefetchPairs = 1_024;

/** Lets an async result make headway before its turn to be emitted comes. */
function begin(result: unknown): unknown {
  let begun = result;
  if (!isThenable(result) && isAsyncIterable(result) && !isIterable(result)) begun = prefetch(result);
  // Awaited in its turn: until then a rejection must not count as unhandled.
  if (begun instanceof Promise) begun.catch(() => {});
  return begun;
}

async function prefetch(result: AsyncIterable<unknown>): Promise<unknown> {
  const pairs = result[Symbol.asyncIterator]();
  const fetched: unknown[] = [];
  while (fetched.length < prefetchPairs) {
    const step = await pairs.next();
    if (step.done === true) return fetched;
    fetched.push(step.value);
  }
  return (async function* () {
    yield* fetched;
    yield* { [Symbol.asyncIterator]: () => pairs };
  })();
}
