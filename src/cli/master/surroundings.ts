/** The real surroundings of `choose-master.ts`: settings of this process, and the daemon of a root. */
import { resolveClientSettings } from "../../settings/client.ts";
import type { Surroundings } from "./choose-master.ts";
import { daemonOf } from "./running-daemon.ts";

export const surroundings: Surroundings = {
  settings: (flags) => resolveClientSettings({ flags: { ...flags } }),
  daemonOf,
};
