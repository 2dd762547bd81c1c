/**
 * The settings of a daemon against those that it would get now: whether somebody who starts one that runs already asked for others, and
 * what a restart changes though nobody asked for it.
 */
import type { ResolvedDaemon } from "../../settings/daemon.ts";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import { describeOrigin } from "../../settings/origin.ts";
import { nameOf, type SettingName, settingOf } from "../../settings/table.ts";
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
  trustedNetworks: ({ trustedNetworks }) => trustedNetworks,
  logLevel: ({ logLevel }) => logLevel,
};

/** A line for each setting that was asked for and is different; what nobody asked for is as it is. */
export function otherSettings(resolved: ResolvedDaemon, running: StartRecord): string[] {
  const { settings, origins } = resolved;
  const lines = differences(resolved, running)
    .filter(({ name }) => origins[name].kind !== "default")
    .map(({ name, now, before }) => `${nameOf(name)} is ${before}, not ${now} (${describeOrigin(origins[name])})`);
  const missing = Object.keys(settings.tokens).filter((scope) => !running.scopes.some((known) => known === scope));
  return [...lines, ...missing.map((scope) => `it has no token for scope ${scope}`)];
}

/**
 * A sentence for each setting that falls back to its default at a restart: it was set for the start, in the environment of another
 * shell or in a file that says nothing of it any more.
 */
export function fallenBack(resolved: ResolvedDaemon, before: StartRecord): string[] {
  return differences(resolved, before)
    .filter(({ name }) => resolved.origins[name].kind === "default")
    .map(({ name, now, before }) => {
      return `${nameOf(name)} was ${before} and is ${now} from now on: nothing sets it here (${settingOf(name).env}).`;
    });
}

interface Difference {
  readonly name: SettingName;
  readonly before: string;
  readonly now: string;
}

function differences({ settings }: ResolvedDaemon, { settings: others }: StartRecord): Difference[] {
  return Object.entries(readers).flatMap(([key, read]) => {
    const name = key as SettingName;
    const [now, before] = [read(settings), read(others)];
    if (JSON.stringify(now) === JSON.stringify(before)) return [];
    const { show } = settingOf(name).type;
    return [{ name, before: show(before), now: show(now) }];
  });
}
