/** `disco stop`: asks the daemon of a root to stop, in good order, and waits until it has. */
import { CommError, DiscoError } from "../../errors.ts";
import { type ResolvedClient, resolveClientSettings } from "../../settings/client.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatCount } from "../progress/quantity.ts";
import { masterReport } from "./master-report.ts";
import { type OutputOptions, print } from "./output.ts";
import { ended, isAlive } from "./process.ts";
import { type DaemonState, daemonState } from "./running.ts";

export interface StopOptions extends OutputOptions {
  readonly root?: string;
  readonly config?: string;
  /** How long to wait, in seconds. */
  readonly timeout: number;
  /** End it by force if it has not stopped by then, or does not answer. */
  readonly force?: boolean;
}

/** After SIGKILL a process is gone as soon as the system gets to it. */
const killTimeoutMs = 10_000;

export interface Stopped {
  readonly record: DaemonRecord;
  readonly by: "SIGTERM" | "SIGKILL";
  /** Jobs that go on at the next start; `null`: not known. */
  readonly activeJobs: number | null;
}

export async function stop(options: StopOptions): Promise<number> {
  const { root, config } = options;
  const flags: SettingFlags = {
    ...(root === undefined ? {} : { root }),
    ...(config === undefined ? {} : { config }),
  };
  const client = resolveClientSettings({ flags });
  const stopped = await stopDaemon(client, options);
  if (stopped === null) {
    print(options, { running: false, stopped: false, root: client.settings.root }, [
      `No daemon runs on ${client.settings.root}.`,
    ]);
    return exitCodes.ok;
  }
  const { record, by, activeJobs } = stopped;
  print(
    options,
    { running: false, stopped: true, signal: by, pid: record.pid, activeJobs, root: client.settings.root },
    [`The daemon has ${by === "SIGTERM" ? "stopped" : "been ended by force"}.${sayJobs(activeJobs)}`],
  );
  return exitCodes.ok;
}

/**
 * `null`: none runs.
 * @throws DiscoError `daemon-silent`, `still-running`, `not-permitted`
 */
export async function stopDaemon(
  client: ResolvedClient,
  { timeout, force = false }: Pick<StopOptions, "timeout" | "force">,
): Promise<Stopped | null> {
  const { root } = client.settings;
  const state = await daemonState(root);
  if (state.kind !== "running" && state.kind !== "silent") return null;
  const { record } = state;
  if (state.kind === "silent" && !force) throw silentError(state);
  // What is asked only for a sentence is no reason not to stop.
  const report = state.kind === "running" ? await masterReport(record.url, () => client.token()) : null;
  const activeJobs = report?.kind === "answer" ? report.info.jobs.active : null;
  signal(record.pid, "SIGTERM");
  if (await ended(record.pid, timeout * 1000)) return { record, by: "SIGTERM", activeJobs };
  if (!force) {
    throw new DiscoError(`the daemon, process ${record.pid}, still runs after ${timeout} s`, {
      code: "still-running",
      hint: "Wait for it with a longer --timeout, or end it with --force: what was acknowledged is kept, and jobs go on at the next start.",
    });
  }
  signal(record.pid, "SIGKILL");
  if (await ended(record.pid, killTimeoutMs)) return { record, by: "SIGKILL", activeJobs };
  throw new DiscoError(`process ${record.pid} cannot be ended`, { code: "still-running" });
}

function sayJobs(active: number | null): string {
  if (active === null || active === 0) return "";
  return ` ${formatCount(active)} ${active === 1 ? "job goes" : "jobs go"} on at the next \`disco start\`.`;
}

function silentError({ record }: DaemonState & { readonly kind: "silent" }): CommError {
  return new CommError(`the daemon, process ${record.pid}, does not answer at ${record.url}`, {
    code: "daemon-silent",
    url: record.url,
    hint: "Wait until it answers (it may be starved of processor time or disk), or end it: `disco stop --force`.",
  });
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH" || !isAlive(pid)) return;
    throw new DiscoError(`the daemon, process ${pid}, belongs to another user`, {
      code: "not-permitted",
      cause,
      hint: "Stop it as that user, or as root.",
    });
  }
}
