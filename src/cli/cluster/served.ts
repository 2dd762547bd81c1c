/**
 * What `disco master` and `disco node` do alike: a log, signals, and an end that says how it went.
 *
 * Opening may wait for servers that do not answer, each try with a patience of its own. A signal does not wait for that: what is half
 * open gets a moment to close, then the process ends as it does when it is killed, which the journal is made for.
 */

import { once } from "node:events";
import type { ResolvedCluster } from "../../settings/cluster.ts";
import { secretNames } from "../../settings/cluster-secrets.ts";
import { settingOf } from "../../settings/table.ts";
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

/** After so long a process that is not open says what it waits for. */
const saysWaitingMs = 2_000;
const closePatienceMs = 1_000;

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
    const waiting = setTimeout(() => {
      const shown = (["engine", "journal"] as const).map((name) => [name, settingOf(name).type.show(settings[name])]);
      log.warn(Object.fromEntries(shown), "not started yet: the engine does not answer, it is asked again");
    }, saysWaitingMs);
    const stopped = Promise.race([signals.first, starterGone()]);
    const begun = await Promise.race([opening, stopped]).finally(() => clearTimeout(waiting));
    if (typeof begun === "string") return await endUnopened(opening, begun, log);
    const served = begun;
    log.debug({ configFile }, "started");
    const end = await Promise.race([stopped, served.failed]);
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

async function endUnopened(opening: Promise<Served>, signal: string, log: Log): Promise<number> {
  log.info({ signal }, "stopping");
  const closed = opening.then(
    (served) => served.close(),
    () => undefined,
  );
  const late = AbortSignal.timeout(closePatienceMs);
  const isClosed = await Promise.race([closed.then(() => true), once(late, "abort").then(() => false)]);
  log.info("stopped");
  if (!isClosed) process.exit(exitCodes.ok);
  return exitCodes.ok;
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
