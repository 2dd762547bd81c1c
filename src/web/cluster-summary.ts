/** The cluster in a line. */
import type { MasterInfo, NodeInfo } from "../client/master-api.ts";
import { bytes, count, counted } from "./format.ts";

export function clusterSummary(nodes: readonly NodeInfo[], { version, jobs }: MasterInfo): string[] {
  const up = nodes.filter(({ connected }) => connected);
  const usable = up.filter(({ blacklisted }) => !blacklisted);
  const slots = usable.reduce((sum, node) => sum + node.slots, 0);
  const running = nodes.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const free = up.reduce((sum, { diskFreeBytes }) => sum + diskFreeBytes, 0);
  const lost = nodes.length - up.length;
  const blacklisted = up.length - usable.length;
  return [
    counted(up.length, "node"),
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...(blacklisted > 0 ? [`${count(blacklisted)} blacklisted`] : []),
    counted(slots, "slot"),
    `${count(running)} running`,
    `${bytes(free)} free`,
    `${count(jobs.active)} active, ${count(jobs.ready)} ready, ${count(jobs.dead)} dead`,
    `version ${version}`,
  ];
}
