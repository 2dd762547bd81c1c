/** `disco restart`: stops the daemon and starts it as it was started before, apart from what is asked for now. */
import { DiscoError } from "../../errors.ts";
import { resolveClientSettings } from "../../settings/client.ts";
import { type ResolvedDaemon, resolveDaemonSettings } from "../../settings/daemon.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { tokenSettings } from "../../settings/tokens.ts";
import { fallenBack } from "./asked-settings.ts";
import type { OutputOptions } from "./output.ts";
import { daemonState } from "./running.ts";
import { startUnlessRunning } from "./start.ts";
import { readStartRecord, type StartRecord } from "./start-record.ts";
import { stopDaemon } from "./stop.ts";

export interface RestartOptions extends OutputOptions, SettingFlags {
  readonly timeout: number;
  readonly force?: boolean;
}

export async function restart(options: RestartOptions): Promise<number> {
  const { timeout, force, json, ...asked } = options;
  const client = resolveClientSettings({ flags: asked });
  const { root } = client.settings;
  const state = await daemonState(root);
  const before = "record" in state ? readStartRecord(root, state.record.instance) : null;
  const flags: SettingFlags = { ...before?.flags, ...asked };
  const resolved = resolveDaemonSettings({ flags, env: process.env, cwd: process.cwd() });
  // Before anything is stopped: whatever is wrong with the settings leaves the daemon as it is.
  if (before !== null && state.kind !== "stale") assertNoTokenLost(before, resolved);
  const changes = before === null ? [] : fallenBack(resolved, before);
  for (const warning of [...resolved.warnings, ...changes]) process.stderr.write(`warning: ${warning}\n`);
  await stopDaemon(client, { timeout, force: force === true });
  return startUnlessRunning(resolved, flags, json === undefined ? {} : { json });
}

/** A daemon that asks for tokens must not come back open to everybody because this shell does not have them. */
function assertNoTokenLost(before: StartRecord, { settings }: ResolvedDaemon): void {
  const lost = before.scopes.filter((scope) => settings.tokens[scope] === undefined);
  if (lost.length === 0) return;
  const variables = lost.map((scope) => tokenSettings[scope].env).join(" and ");
  throw new DiscoError(`the daemon has a token for ${lost.join(" and ")}, and here none is set: it was not restarted`, {
    code: "token-needed",
    hint: `Set ${variables}, or name a token file, as when it was started; or \`disco stop\` and \`disco start\` to do without.`,
  });
}
