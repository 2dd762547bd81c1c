/** `disco start`. */
import { setTimeout as sleep } from "node:timers/promises";
import { DiscoError } from "../../errors.ts";
import { type ResolvedDaemon, resolveDaemonSettings } from "../../settings/daemon.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { exitCodes } from "../exit-codes.ts";
import { otherSettings } from "./asked-settings.ts";
import { absoluteFlags, type StartedDaemon, startInBackground } from "./background.ts";
import { runForeground } from "./foreground.ts";
import { logFileOf } from "./log-file.ts";
import { becomeMaster } from "./master-flags.ts";
import { details, type OutputOptions, print } from "./output.ts";
import { addressesFor, describeReach } from "./reach.ts";
import { daemonState } from "./running.ts";
import { readStartRecord } from "./start-record.ts";

/** A daemon that ends has that long for its workers and its journal. */
const busyTimeoutMs = 15_000;
const retryAfterMs = 1000;
const pollMs = 20;

export interface StartOptions extends OutputOptions, SettingFlags {
  readonly foreground?: boolean;
}

export async function start(options: StartOptions): Promise<number> {
  const { foreground, json: _, ...flags } = options;
  const resolved = resolveDaemonSettings({ flags, env: process.env, cwd: process.cwd() });
  if (foreground === true) {
    becomeMaster();
    return runForeground(resolved, absoluteFlags(flags));
  }
  for (const warning of resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  return startUnlessRunning(resolved, flags, options);
}

export async function startUnlessRunning(
  resolved: ResolvedDaemon,
  flags: SettingFlags,
  output: OutputOptions,
): Promise<number> {
  const { root, host } = resolved.settings;
  const started = await startOrFind(resolved, flags, output);
  if (started === null) return exitCodes.ok;
  const { pid, url, instance } = started;
  const log = logFileOf(root);
  const addresses = addressesFor(resolved.settings, url);
  const reach = describeReach(addresses, host);
  const rows = [
    ["url", url],
    ...(reach === null ? [] : [["elsewhere", reach] as const]),
    ["root", root],
    ["log", log],
  ] as const;
  const next = [
    ["disco run JOB.ts", "run a job on it"],
    ["disco jobs", "see what runs and ran"],
    ["disco stop", "stop it; jobs go on at the next start"],
  ] as const;
  const reminder = resolved.origins.root.kind === "flag" ? [rootReminder(root)] : [];
  print(output, { running: true, started: true, url, addresses, pid, instance, root, log }, [
    `The daemon runs, with process id ${pid}.`,
    ...details(rows),
    "",
    ...details(next),
    ...reminder,
  ]);
  return exitCodes.ok;
}

/** `null`: one runs already, and that was said. */
async function startOrFind(
  resolved: ResolvedDaemon,
  flags: SettingFlags,
  output: OutputOptions,
): Promise<StartedDaemon | null> {
  const until = performance.now() + busyTimeoutMs;
  for (;;) {
    if (await sayIfRunning(resolved, output)) return null;
    try {
      return await startInBackground(resolved, flags);
    } catch (error) {
      // Another daemon has the root and does not serve: it is about to start, or to end.
      if (!(error instanceof DiscoError) || error.code !== "root-busy" || performance.now() > until) throw error;
      await changeOf(resolved.settings.root);
    }
  }
}

/** Returns when a daemon serves the root, or after a while. */
async function changeOf(root: string): Promise<void> {
  const until = performance.now() + retryAfterMs;
  while (performance.now() < until && (await daemonState(root)).kind !== "running") await sleep(pollMs);
}

/** The other commands look at the root that environment and files give. */
function rootReminder(root: string): string {
  return `\nOther commands find it with --root ${root}, or DISCO_ROOT=${root} in the environment.`;
}

/** @throws DiscoError `daemon-silent`, `other-settings` */
async function sayIfRunning(resolved: ResolvedDaemon, output: OutputOptions): Promise<boolean> {
  const { root } = resolved.settings;
  const state = await daemonState(root);
  if (state.kind === "silent") {
    throw new DiscoError(`a daemon has ${root} already, process ${state.record.pid}, and does not answer`, {
      code: "daemon-silent",
      hint: "`disco stop --force` ends it; jobs go on at the next start.",
    });
  }
  if (state.kind !== "running") return false;
  const { pid, url, instance } = state.record;
  const known = readStartRecord(root, instance);
  const other = known === null ? [] : otherSettings(resolved, known);
  if (other.length > 0) {
    throw new DiscoError(`the daemon runs already, with other settings: ${other.join("; ")}`, {
      code: "other-settings",
      url,
      hint: "`disco restart`, with the same options, starts it with the new settings. Jobs go on afterwards.",
    });
  }
  const document = { running: true, started: false, url, pid, instance, root, log: logFileOf(root) };
  print(output, document, [
    `The daemon runs already, with process id ${pid}.`,
    ...details([
      ["url", url],
      ["root", root],
    ]),
  ]);
  return true;
}
