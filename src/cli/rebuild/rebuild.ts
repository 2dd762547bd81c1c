/**
 * `disco rebuild --from-nodes`: a new journal for tags whose journal is gone, from the snapshots that nodes keep beside their blobs. Of a root
 * on this machine, or, where an engine is set, of a cluster: then the data directories of nodes, or copies of them, have to be within reach.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DiscoError } from "../../errors.ts";
import type { Rebuilt } from "../../master/rebuild.ts";
import { type ResolvedCluster, resolveClusterSettings } from "../../settings/cluster.ts";
import { resolveSettings, type SettingFlags } from "../../settings/resolve.ts";
import { exitCodes } from "../exit-codes.ts";
import { localTime } from "../print/local-time.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { formatCount } from "../progress/quantity.ts";

export type RebuildFlags = SettingFlags & {
  readonly fromNodes: true;
  /** Of a root: whose journal. */
  readonly of?: "daemon" | "scripts";
  readonly json?: boolean;
};

/** Exit status 1 where blobs are missed that tags name. */
export async function rebuild(directories: readonly string[], flags: RebuildFlags): Promise<number> {
  const { fromNodes: _, of, json, ...settings } = flags;
  const sources = { flags: settings, env: process.env, cwd: process.cwd() };
  const { engine, journal, root } = resolveSettings("cluster", sources).values;
  const isCluster = engine !== null || journal !== null;
  if (isCluster && directories.length === 0) {
    throw new DiscoError("the data directories of nodes were not named", {
      code: "bad-argument",
      hint: "Name those of as many nodes as can be reached from here, or copies of them.",
    });
  }
  const rebuilt = isCluster
    ? await ofCluster(resolveClusterSettings("master", sources), directories)
    : await ofRoot(root, directories, of);
  if (json === true) printJson(rebuilt);
  else printLines(linesOf(rebuilt));
  return rebuilt.absent.count > 0 ? exitCodes.failed : exitCodes.ok;
}

async function ofRoot(root: string, directories: readonly string[], of: RebuildFlags["of"]): Promise<Rebuilt> {
  const { rebuildRoot } = await import("../../master/rebuild.ts");
  const whose = of ?? ((await hasDaemonVolumes(root)) || directories.length > 0 ? "daemon" : "scripts");
  return await rebuildRoot(
    root,
    whose,
    directories.map((directory) => resolve(directory)),
  );
}

/** Volumes of daemons and nodes are counted from `vol0` on; a thousand and more are those of commands without a daemon. */
async function hasDaemonVolumes(root: string): Promise<boolean> {
  const names = await readdir(join(root, "data", "ddfs")).catch((): string[] => []);
  return names.some((name) => /^vol\d{1,3}$/.test(name));
}

async function ofCluster({ settings }: ResolvedCluster, directories: readonly string[]): Promise<Rebuilt> {
  const [{ rebuildTags }, { openClusterEngine }] = await Promise.all([
    import("../../master/rebuild.ts"),
    import("../../master/engine-ports.ts"),
  ]);
  const missing = directories.find((directory) => !existsSync(directory));
  if (missing !== undefined)
    throw new DiscoError(`there is no folder ${missing}`, { code: "no-such-file", hint: "Check the path." });
  // It carries no messages, and leads only while it writes.
  const engine = await openClusterEngine(settings, { role: () => "none", leader: () => null, ageMs: () => 0 });
  try {
    return await rebuildTags({
      journal: () => engine.journal,
      directories: directories.map((directory) => resolve(directory)),
    });
  } finally {
    await engine.close();
  }
}

function linesOf({ snapshot, at, tags, urls, damaged, unnamed, absent, cluster }: Rebuilt): string[] {
  return [
    `${counted(tags, "tag")} with ${counted(urls, "link")} restored, as they were ${localTime(at)}`,
    `  cluster   ${cluster}`,
    `  snapshot  ${snapshot}`,
    ...damaged.map((file) => `  damaged, and passed over: ${file}`),
    ...listed("without a tag, kept for the grace period of garbage collection", unnamed),
    ...listed("with a tag, and in none of these directories", absent),
  ];
}

function listed(what: string, { count, first }: Rebuilt["absent"]): string[] {
  if (count === 0) return [];
  const more = count > first.length ? [`    and ${formatCount(count - first.length)} more`] : [];
  return [`  ${counted(count, "blob")} ${what}:`, ...first.map((object) => `    ${object}`), ...more];
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}
