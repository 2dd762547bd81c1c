/**
 * What takes long ends in order at Ctrl-C or SIGTERM: files that are not complete go, and tags are as they were. A second one ends it at once,
 * and so does time: a read of a pipe into which nobody writes cannot be called off.
 */
import { DiscoError } from "../../errors.ts";
import { Interrupted, Interruption } from "../run/interruption.ts";

const orderMsMax = 3_000;

/** @throws DiscoError `interrupted`, `terminated` */
export async function stoppable<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interruption = new Interruption(() => stop.abort());
  let timer: NodeJS.Timeout | undefined;
  interruption.happened.catch((reason: unknown) => {
    timer = setTimeout(endAtOnce, orderMsMax, reason);
  });
  try {
    return await act(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const code = await interruption.happened.catch(codeOf);
    throw new DiscoError(`${code}: nothing was changed`, { code, cause: error });
  } finally {
    clearTimeout(timer);
    interruption.close();
  }
}

/** By the signal itself: Node waits for its threads also in `process.exit`, and one of them hangs. */
function endAtOnce(reason: unknown): void {
  const signal = codeOf(reason) === "interrupted" ? "SIGINT" : "SIGTERM";
  process.stderr.write(`error: ${codeOf(reason)}\n`);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function codeOf(reason: unknown): string {
  return reason instanceof Interrupted ? reason.message : "interrupted";
}
