/** Long polls for results, as both HTTP interfaces have them. */
import type { JobResult, MasterApi } from "../../client/master-api.ts";

/** A server that closes answers the polls that it holds with what is known, so that nobody takes it for a failure. */
export async function heldResults(
  master: Pick<MasterApi, "results">,
  names: readonly string[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<JobResult[]> {
  try {
    return await master.results(names, timeoutMs, signal);
  } catch (error) {
    if (signal?.aborted !== true || error !== signal.reason) throw error;
    return master.results(names, 0);
  }
}
