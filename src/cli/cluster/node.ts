/** `disco node`: a node of a cluster, in this process, until a signal ends it. */
import { resolveClusterSettings } from "../../settings/cluster.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { serveUntilEnded } from "./served.ts";

export interface NodeOptions extends SettingFlags {
  /** The same as `workers`. */
  readonly slots?: string;
}

/** @throws what settings and engine throw */
export async function runNode({ slots, ...flags }: NodeOptions): Promise<number> {
  const given = slots === undefined ? flags : { ...flags, workers: slots };
  const resolved = resolveClusterSettings("node", { flags: given, env: process.env, cwd: process.cwd() });
  return await serveUntilEnded(resolved, async (log) => {
    const { openNodeProcess } = await import("../../node/node-process.ts");
    const { openNodeBus } = await import("../../node/node-bus.ts");
    const { settings } = resolved;
    return await openNodeProcess(settings, { log, bus: (session) => openNodeBus(settings, session, log) });
  });
}
