/** What takes long ends in order at Ctrl-C or SIGTERM: files that are not complete go, and tags are as they were. A second one ends it at once. */
import { DiscoError } from "../../errors.ts";
import { Interruption } from "../run/interruption.ts";

/** @throws DiscoError `interrupted`, `terminated` */
export async function stoppable<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interruption = new Interruption(() => stop.abort());
  try {
    return await act(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const how = await interruption.happened.catch((reason: Error) => reason.message);
    throw new DiscoError(`${how}: nothing was changed`, { code: how, cause: error });
  } finally {
    interruption.close();
  }
}
