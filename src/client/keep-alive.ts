/** The longest delay that timers take; what happens then does not matter. */
const foreverMs = 2 ** 31 - 1;

/** The same promise, which keeps the process alive until it is settled: an idle engine does not. */
export async function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, foreverMs);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
