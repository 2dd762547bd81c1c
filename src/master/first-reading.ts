/**
 * The first reading of the journal. Its engine may just have been started, or be electing a leader: then it does not answer, or breaks
 * off in the middle, and what was read is thrown away and read again. A master that gave up here would have to be started by
 * somebody at the very moment when it is needed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CommError } from "../errors.ts";

/** JetStream elects within 10 s; servers that are started after the masters take a little longer. */
const patienceMsDefault = 30_000;
const pauseMs = 250;

export interface FirstReadingOptions {
  /** Is told once, with the first error. */
  readonly waits: (error: CommError) => void;
  /** How long an engine that does not answer is asked again, in milliseconds. Default: 30,000. */
  readonly patienceMs?: number;
}

/** @throws what `read` throws: a CommError only after the patience. */
export async function firstReading<T>(
  read: () => Promise<T>,
  { waits, patienceMs = patienceMsDefault }: FirstReadingOptions,
): Promise<T> {
  const untilMs = performance.now() + patienceMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- One try after the other.
      return await read();
    } catch (error) {
      if (!(error instanceof CommError) || performance.now() >= untilMs) throw error;
      if (isFirst) waits(error);
    }
    // oxlint-disable-next-line no-await-in-loop -- As above.
    await delay(pauseMs);
  }
}
