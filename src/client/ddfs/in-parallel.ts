/**
 * Calls `act` for each item, at most `many` at a time, and returns what each gave, in order. The next item is made meanwhile. The first failure aborts the signal that all
 * are given, waits for those that run, and is thrown.
 */
export async function inParallel<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  many: number,
  signal: AbortSignal | undefined,
  act: (item: T, i: number, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const results: R[] = [];
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
  };
  try {
    let i = 0;
    for await (const item of items) {
      if (both.aborted) break;
      const at = i++;
      if (running.size >= many) await Promise.race(running);
      if (both.aborted) break;
      const run: Promise<void> = act(item, at, both)
        .then((result) => void (results[at] = result), fail)
        .finally(() => running.delete(run));
      running.add(run);
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running);
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
  signal?.throwIfAborted();
  return results;
}
