/**
 * Asking again: a worker's request is held while a master is being replaced, or a node is away for a moment, and not answered with an
 * error at once, which would cost the task an attempt.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CommError } from "../../../errors.ts";

const firstPauseMs = 100;
const pauseMsMax = 2_000;
/** "Not now", of whoever answers, or of what is in between. */
const later: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * The first answer that is not "not now"; after `patienceMs`, whatever came last.
 * @throws CommError where nobody answered to the end; the signal's reason
 */
export async function askAgain(
  ask: () => Promise<IncomingMessage>,
  { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const until = performance.now() + patienceMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    const isLast = performance.now() >= until;
    try {
      const reply = await ask();
      if (isLast || !later.has(reply.statusCode ?? 0)) return reply;
      // An error of a body that nobody reads is nobody's.
      reply.on("error", () => undefined).resume();
    } catch (error) {
      signal.throwIfAborted();
      if (isLast || !(error instanceof CommError)) throw error;
    }
    await sleep(Math.min(pauseMs, Math.max(0, until - performance.now())), undefined, { signal });
  }
}
