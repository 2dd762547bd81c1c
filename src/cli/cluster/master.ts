/** `disco master`: a master of a cluster, in this process, until a signal ends it. */
import { resolveClusterSettings } from "../../settings/cluster.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { serveUntilEnded } from "./served.ts";

/** @throws what settings, engine and journal throw */
export async function runMaster(flags: SettingFlags): Promise<number> {
  const resolved = resolveClusterSettings("master", { flags, env: process.env, cwd: process.cwd() });
  return await serveUntilEnded(resolved, async (log) => {
    const { openClusterMaster } = await import("../../master/cluster-master.ts");
    const { openClusterEngine } = await import("../../master/engine-ports.ts");
    const { settings } = resolved;
    return await openClusterMaster(settings, { log, engine: (leading) => openClusterEngine(settings, leading) });
  });
}
