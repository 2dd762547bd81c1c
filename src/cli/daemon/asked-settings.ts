/** Whether somebody who starts a daemon that runs already asked for other settings than it has. */
import type { ResolvedDaemon } from "../../settings/daemon.ts";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import { describeOrigin } from "../../settings/origin.ts";
import { type SettingName, settingOf } from "../../settings/table.ts";
import type { StartRecord } from "./start-record.ts";

type Comparable = Omit<DaemonSettings, "tokens">;

const readers: { readonly [N in SettingName]?: (settings: Comparable) => unknown } = {
  host: ({ host }) => host,
  port: ({ port }) => port,
  node: ({ node }) => node,
  workers: ({ workers }) => workers,
  labels: ({ labels }) => labels,
  scheduler: ({ scheduler }) => scheduler.policy,
  schedulerAlpha: ({ scheduler }) => scheduler.alpha,
  gcAfter: ({ gcAfterSeconds }) => gcAfterSeconds,
  diskReserve: ({ diskReserveBytes }) => diskReserveBytes,
  packMax: ({ packBytesMax }) => packBytesMax,
  allowedHosts: ({ allowedHosts }) => allowedHosts,
  logLevel: ({ logLevel }) => logLevel,
};

/** A line for each setting that was asked for and is different; what nobody asked for is as it is. */
export function otherSettings({ settings, origins }: ResolvedDaemon, running: StartRecord): string[] {
  const lines = Object.entries(readers).flatMap(([key, read]) => {
    const name = key as SettingName;
    const [asked, actual] = [read(settings), read(running.settings)];
    if (origins[name].kind === "default" || JSON.stringify(asked) === JSON.stringify(actual)) return [];
    const { show } = settingOf(name).type;
    return [`${name} is ${show(actual)}, not ${show(asked)} (${describeOrigin(origins[name])})`];
  });
  const missing = Object.keys(settings.tokens).filter((scope) => !running.scopes.some((known) => known === scope));
  return [...lines, ...missing.map((scope) => `it has no token for scope ${scope}`)];
}
