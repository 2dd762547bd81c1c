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
  const late = interruption.happened.catch(
    (reason: unknown) => new Promise<never>((_, reject) => (timer = setTimeout(reject, orderMsMax, reason))),
  );
  try {
    return await Promise.race([act(stop.signal), late]);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const how = await interruption.happened.catch((reason: unknown) => reason);
    const code = how instanceof Interrupted ? how.message : "interrupted";
    throw new DiscoError(`${code}: nothing was changed`, { code, cause: error });
  } finally {
    clearTimeout(timer);
    interruption.close();
  }
}
