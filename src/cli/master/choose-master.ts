/**
 * Which master a command talks to. The first that says something decides:
 *
 * 1. `--master ADDRESS`. Here and below `local` is an address, too: the engine in this process;
 * 2. `--root FOLDER`: that folder's daemon when one runs, else the engine in this process. A flag is over the environment;
 * 3. `DISCO_MASTER`;
 * 4. `master` in `disco.toml`;
 * 5. the daemon that runs on this root;
 * 6. nobody: the engine in this process.
 *
 * Nothing is asked of a master that was named: whether it answers is seen when it is used, with an error that says so. Only a
 * root's daemon is looked for, because one that was killed leaves its file behind.
 */
import { localMaster } from "../../settings/addresses.ts";
import type { ResolvedClient } from "../../settings/client.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";

/** What was given on the command line. */
export interface MasterFlags {
  readonly master?: string;
  readonly root?: string;
  /** The `disco.toml` to read, or `none`. */
  readonly config?: string;
}

export type ChosenMaster = {
  readonly root: string;
  /** The settings that led here. */
  readonly client: ResolvedClient;
} & (
  | { readonly kind: "local" }
  | {
      readonly kind: "remote";
      /** `disco://host[:port]` or `http(s)://host[:port]`. */
      readonly address: string;
      /** Who named it, for people: `--master`, `DISCO_MASTER in the environment`, `/srv/disco.toml line 3`, `the daemon of ROOT`. */
      readonly from: string;
    }
);

/** Where a choice looks, apart from the flags. */
export interface Surroundings {
  /** Flags over environment over files; flags that are not given are not there. */
  settings(flags: MasterFlags): ResolvedClient;
  /** The daemon that runs on a root, if it answers. */
  daemonOf(root: string): Promise<DaemonRecord | null>;
}

/** @throws DiscoError `bad-setting`, `bad-config-file`; CommError when a daemon of the root holds its port and is silent */
export async function chooseMaster({ master, root, config }: MasterFlags, around: Surroundings): Promise<ChosenMaster> {
  const client = around.settings({
    ...(root === undefined ? {} : { root }),
    ...(config === undefined ? {} : { config }),
    ...(master === undefined ? {} : { master }),
  });
  const { settings, origins, masterFrom } = client;
  const all = { root: settings.root, client };
  const isOverruled = root !== undefined && origins.master.kind !== "flag";
  if (settings.master !== null && !isOverruled) {
    if (settings.master === localMaster) return { kind: "local", ...all };
    return { kind: "remote", address: settings.master, from: masterFrom ?? "", ...all };
  }
  const daemon = await around.daemonOf(settings.root);
  if (daemon === null) return { kind: "local", ...all };
  return { kind: "remote", address: daemon.url, from: `the daemon of ${settings.root}`, ...all };
}

/** Nobody named a master: that the root has a daemon, or none, has decided. */
export function isByRoot(master: ChosenMaster): boolean {
  const named = master.client.settings.master;
  return master.kind === "remote" ? master.address !== named : named !== localMaster;
}

/** Where the work goes, for people. */
export function describeMaster(master: ChosenMaster): string {
  return master.kind === "local" ? `this machine (${master.root})` : `${master.address} (${master.from})`;
}
