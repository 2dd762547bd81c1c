/** Waiting for a job to end. */
import { badOption, checkNames } from "./bad-option.ts";
import { jobFailure, timedOut } from "./job-failure.ts";
import type { MasterApi } from "./master-api.ts";
import { type Check, shown } from "./option-checks.ts";
import { type Show, showEvents, showMode } from "./show-events.ts";

/** The longest delay that timers take. */
export const timeoutMsMax = 2 ** 31 - 1;
/** The end of a job is noticed at once; whoever asks more often than this only keeps the master from its work. */
const pollMsMin = 10;

export interface WaitOptions {
  /** Longest time between two questions to the master, in seconds; the end of a job is noticed at once. Default: 2. */
  readonly pollInterval?: number;
  /** Seconds after which to give up; the job goes on. Default: null, never. */
  readonly timeout?: number | null;
  /** Forget the job's records when it has ended (`clean`). Results stay. Default: false. */
  readonly clean?: boolean;
  /** Print the job's events to stderr while it runs. Default: what `DISCO_EVENTS` says. */
  readonly show?: Show;
}

const known: Readonly<Record<keyof WaitOptions, Check>> = {
  pollInterval: () => null,
  timeout: () => null,
  clean: () => null,
  show: () => null,
};

/**
 * The addresses of the results, when there are any.
 * @throws JobError when the job died or was killed, with the first fatal failure; `timeout` when the time is up
 * @throws DiscoError `unknown-job`
 */
export async function waitForJob(
  master: MasterApi,
  name: string,
  options: WaitOptions = {},
): Promise<readonly string[]> {
  checkNames(options, known, "wait: ", () => undefined);
  const { pollInterval = 2, timeout = null, clean = false } = options;
  checkSeconds("pollInterval", pollInterval);
  if (timeout !== null) checkSeconds("timeout", timeout);
  const mode = showMode(options.show);
  const stop = new AbortController();
  // Whoever waits gets the job's error; that its events cannot be read is less than that.
  const showing =
    mode === "none" ? null : showEvents(master.events(name, 0, { signal: stop.signal }), mode).catch(() => {});
  const deadline = timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
  try {
    for (;;) {
      const leftMs = deadline - performance.now();
      const [result] = await master.results(
        [name],
        Math.ceil(Math.max(0, Math.min(Math.max(pollInterval * 1000, pollMsMin), leftMs, timeoutMsMax))),
      );
      if (result !== undefined && result.status !== "active") {
        await showing;
        if (clean && result.status !== "unknown_job") await master.clean(name);
        if (result.status === "ready") return result.results;
        throw jobFailure(result);
      }
      if (performance.now() < deadline) continue;
      const { waits } = await master.jobInfo(name);
      throw timedOut(name, timeout as number, waits);
    }
  } finally {
    stop.abort();
  }
}

function checkSeconds(option: string, value: unknown): void {
  if (typeof value === "number" && value >= 0) return;
  throw badOption(`${option}: a number of seconds was expected, not ${shown(value)}`);
}
