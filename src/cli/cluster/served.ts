/** What `disco master` and `disco node` do alike: a log, signals, and an end that says how it went. */

import type { ResolvedCluster } from "../../settings/cluster.ts";
import { secretNames } from "../../settings/cluster-secrets.ts";
import { openDaemonLog } from "../daemon/log.ts";
import { StopSignals } from "../daemon/stop-signals.ts";
import { exitCodes } from "../exit-codes.ts";

type Log = ReturnType<typeof openDaemonLog>;

/** A process that serves until somebody ends it, or until it cannot go on. */
export interface Served {
  readonly url: string;
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

/** Exit status 0 after a signal, 1 where it could not go on. @throws what `open` throws */
export async function serveUntilEnded(
  { settings, configFile, warnings }: ResolvedCluster,
  open: (log: Log) => Promise<Served>,
): Promise<number> {
  const log = openDaemonLog(settings);
  const signals = new StopSignals();
  for (const warning of warnings) log.warn(warning);
  try {
    const opening = open(log);
    // Children inherit the environment, and run code of people who may not have these rights.
    for (const name of secretNames()) delete process.env[name];
    const served = await opening;
    log.debug({ configFile }, "started");
    const end = await Promise.race([signals.first, served.failed, starterGone()]);
    if (end instanceof Error) log.fatal({ err: end }, "cannot go on");
    else log.info({ signal: end }, "stopping");
    await served.close();
    log.info("stopped");
    return end instanceof Error ? exitCodes.failed : exitCodes.ok;
  } catch (error) {
    log.fatal({ err: error }, "failed");
    throw error;
  }
}

/** Resolves when the process that started this one, and has a channel to it, is gone (`disco cluster up`). */
function starterGone(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  if (process.send !== undefined) {
    process.once("disconnect", () => resolve("the process that started it is gone"));
    if (!process.connected) resolve("the process that started it is gone");
  }
  return promise;
}
