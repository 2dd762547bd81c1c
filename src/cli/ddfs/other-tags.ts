/**
 * A root has two lists of tags, as it has two of jobs (`commands/other-store.ts`): the daemon's, and that of commands without one. Who sees
 * one of them is told of the other: tags that were made before `disco start` are not gone.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ChosenMaster, isByRoot } from "../master/choose-master.ts";

/** The first volumes of the daemon, and of commands (`master/root-journals.ts`). */
const volumes = { daemon: "vol0", commands: "vol1000" };

/** Where tags may be that the chosen master does not know; `null`: nowhere on this root. */
export function otherTags(master: ChosenMaster): string | null {
  if (!isByRoot(master)) return null;
  const has = (volume: string): boolean => existsSync(join(master.root, "data", "ddfs", volume));
  if (master.kind === "remote")
    return has(volumes.commands) ? "Tags made without the daemon are a list of their own: --master local." : null;
  return has(volumes.daemon) ? "Tags of the daemon are there when it runs: `disco start`." : null;
}
