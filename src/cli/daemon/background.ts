/** Starts a daemon in a process of its own, which outlives this one, and waits until it serves. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DiscoError } from "../../errors.ts";
import { packageFolder } from "../../package-files.ts";
import { noConfigFile } from "../../settings/config-search.ts";
import type { ResolvedDaemon } from "../../settings/daemon.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { flagOf, settingNames, settingOf, settingsTable } from "../../settings/table.ts";
import { tokenSettings } from "../../settings/tokens.ts";
import { errorOf, type Handshake } from "./handshake.ts";
import { logFileOf, logTail, openLogFile } from "./log-file.ts";
import { makeRoot } from "./make-root.ts";
import { masterFlags } from "./master-flags.ts";

/** A journal of a million tasks is read in less. */
const startTimeoutMs = 120_000;
const tailLines = 15;

export interface StartedDaemon {
  readonly pid: number;
  readonly url: string;
  readonly instance: string;
}

/** @throws DiscoError why it did not start: what it said itself, or `start-failed` with the end of its log */
export async function startInBackground(
  { settings, configFile }: ResolvedDaemon,
  flags: SettingFlags,
): Promise<StartedDaemon> {
  const { root } = settings;
  await makeRoot(root);
  const log = openLogFile(root);
  const args = [...nodeFlags(), ...masterFlags, ownScript, "start", "--foreground", "--root", root];
  args.push("--config", configFile ?? noConfigFile, ...flagsAsArguments(absoluteFlags(flags)));
  const stdio = ["ignore", log.fd, log.fd, "ipc"] as const;
  const child = spawn(process.execPath, args, { cwd: root, env: environment(), detached: true, stdio: [...stdio] });
  closeSync(log.fd);
  const interrupted = (): void => {
    child.kill("SIGTERM");
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  try {
    const outcome = await outcomeOf(child);
    if (outcome.kind === "ready") {
      const { url, instance } = outcome;
      return { pid: child.pid as number, url, instance };
    }
    if (outcome.kind === "failed") throw errorOf(outcome);
    throw startFailed(root, log.offset, outcome.kind === "slow" ? "does not serve yet" : outcome.how);
  } finally {
    process.off("SIGINT", interrupted);
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** Flags with paths that mean the same from everywhere. */
export function absoluteFlags(flags: SettingFlags): SettingFlags {
  const entries = Object.entries(flags).filter(([, value]) => value !== undefined);
  const paths: ReadonlySet<string> = new Set(["root", "tokenFile", "submitTokenFile", "readTokenFile"]);
  const absolute = entries.map(([name, value]) => {
    if (!paths.has(name)) return [name, value] as const;
    return [name, settingsTable.root.type.read(value, process.cwd())?.value ?? value] as const;
  });
  return Object.fromEntries(absolute);
}

type Outcome = Handshake | { readonly kind: "ended"; readonly how: string } | { readonly kind: "slow" };

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const done = new AbortController();
  const { signal } = done;
  const said = once(child, "message", { signal }).then(([message]) => message as Handshake);
  const ended = once(child, "exit", { signal }).then(([code, by]): Outcome => {
    return { kind: "ended", how: by === null ? `ended with status ${code}` : `was ended by ${by}` };
  });
  const { promise: slow, resolve: tooSlow } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => tooSlow({ kind: "slow" }), startTimeoutMs);
  try {
    return await Promise.race([said, ended, slow]);
  } finally {
    clearTimeout(timer);
    for (const waiting of [said, ended]) waiting.catch(() => undefined);
    done.abort();
  }
}

function startFailed(root: string, offset: number, how: string): DiscoError {
  const tail = logTail(root, offset, tailLines);
  const said = tail === "" ? "It said nothing" : `The end of its log:\n\n${tail}\n`;
  return new DiscoError(`the daemon ${how}. ${said}`, {
    code: "start-failed",
    hint: `The whole log is ${logFileOf(root)}; \`disco start --foreground\` shows what happens.`,
  });
}

/** The script of this command. */
export const ownScript = fileURLToPath(new URL("../bin/disco.js", packageFolder));

/** This process's own, without a debugger, whose port is taken. */
export function nodeFlags(): string[] {
  return process.execArgv.filter((flag) => !flag.startsWith("--inspect"));
}

/** Paths in it are seen from another directory there. */
function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const { file } of Object.values(tokenSettings)) {
    const { env: variable } = settingOf(file);
    if (env[variable]) env[variable] = resolve(env[variable]);
  }
  return env;
}

/** `--config` and `--root` are given apart. */
function flagsAsArguments(flags: SettingFlags): string[] {
  return settingNames.flatMap((name) => {
    const [flag, value] = [flagOf(settingOf(name)), flags[name]];
    return flag === null || value === undefined || name === "root" ? [] : [`${flag}=${String(value)}`];
  });
}
