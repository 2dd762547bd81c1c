/**
 * Whether a master that has been asked is there still, while its answer is awaited. A cable that was pulled says nothing: without this,
 * a client that could ask another master would wait for the one that is gone as long as for a slow answer.
 */

/** So long after the question, and after each look, it is looked for. */
const lookEveryMs = 4_000;
/** In a row, before it counts as gone: one may be lost by chance, or the master be busy. */
const failuresMax = 2;

/** Calls `gone`, once, when `probe` fails again and again. Ends by the function that is returned; keeps no process alive. */
export function watchPresence(probe: () => Promise<boolean>, gone: () => void, everyMs = lookEveryMs): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let failures = 0;
  const look = async (): Promise<void> => {
    const isThere = await probe();
    if (ended) return;
    failures = isThere ? 0 : failures + 1;
    if (failures >= failuresMax) gone();
    else plan(isThere ? everyMs : 0);
  };
  const plan = (ms: number): void => {
    timer = setTimeout(() => void look(), ms);
    timer.unref();
  };
  plan(everyMs);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
