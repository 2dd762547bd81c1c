/** `disco start`. */
import { DiscoError } from "../../errors.ts";
import { type ResolvedDaemon, resolveDaemonSettings } from "../../settings/daemon.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { exitCodes } from "../exit-codes.ts";
import { otherSettings } from "./asked-settings.ts";
import { absoluteFlags, startInBackground } from "./background.ts";
import { runForeground } from "./foreground.ts";
import { logFileOf } from "./log-file.ts";
import { details, type OutputOptions, print } from "./output.ts";
import { daemonState } from "./running.ts";
import { readStartRecord } from "./start-record.ts";

export interface StartOptions extends OutputOptions, SettingFlags {
  readonly foreground?: boolean;
}

export async function start(options: StartOptions): Promise<number> {
  const { foreground, json: _, ...flags } = options;
  const resolved = resolveDaemonSettings({ flags, env: process.env, cwd: process.cwd() });
  if (foreground === true) return runForeground(resolved, absoluteFlags(flags));
  for (const warning of resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  return startUnlessRunning(resolved, flags, options);
}

export async function startUnlessRunning(
  resolved: ResolvedDaemon,
  flags: SettingFlags,
  output: OutputOptions,
): Promise<number> {
  const { root } = resolved.settings;
  if (await sayIfRunning(resolved, output)) return exitCodes.ok;
  let started: Awaited<ReturnType<typeof startInBackground>>;
  try {
    started = await startInBackground(resolved, flags);
  } catch (error) {
    // Two were started at once, and the other one has the root now.
    if (error instanceof DiscoError && error.code === "root-busy" && (await sayIfRunning(resolved, output))) {
      return exitCodes.ok;
    }
    throw error;
  }
  const { pid, url, instance } = started;
  const log = logFileOf(root);
  const rows = [
    ["url", url],
    ["root", root],
    ["log", log],
  ] as const;
  const next = [
    ["disco run JOB.ts", "run a job on it"],
    ["disco jobs", "see what runs and ran"],
    ["disco stop", "stop it; jobs go on at the next start"],
  ] as const;
  const settings = root === resolved.settings.root && resolved.origins.root.kind === "flag" ? [rootReminder(root)] : [];
  print(output, { running: true, started: true, url, pid, instance, root, log }, [
    `The daemon runs, with process id ${pid}.`,
    ...details(rows),
    "",
    ...details(next),
    ...settings,
  ]);
  return exitCodes.ok;
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
