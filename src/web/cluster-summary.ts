/** The cluster in a line. */
import type { MasterInfo, NodeInfo } from "../client/master-api.ts";
import { bytes, count, counted } from "./format.ts";

const states = ["suspect", "awaited", "draining", "quarantined", "full"] as const;
/** What a follower tells is always a little late. */
const oldMs = 2_000;

function durability({ engine, durable, replicas = 1 }: MasterInfo["journal"]): string {
  return `journal ${engine}, ${durable}, ${counted(replicas, "copy", "copies")}`;
}

export function clusterSummary(
  nodes: readonly NodeInfo[],
  { version, jobs, journal, role, leader, ageMs = 0 }: MasterInfo,
): string[] {
  const up = nodes.filter(({ connected }) => connected);
  const usable = up.filter(({ blacklisted, state = "up" }) => !blacklisted && state === "up");
  const slots = usable.reduce((sum, node) => sum + node.slots, 0);
  const running = nodes.reduce((sum, { tasks }) => sum + tasks.length, 0);
  const free = up.reduce((sum, { diskFreeBytes }) => sum + diskFreeBytes, 0);
  const lost = nodes.length - up.length;
  const blacklisted = up.filter((node) => node.blacklisted).length;
  return [
    counted(up.length, "node"),
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...states.flatMap((state) => {
      const number = up.filter((node) => node.state === state).length;
      return number > 0 ? [`${count(number)} ${state}`] : [];
    }),
    ...(blacklisted > 0 ? [`${count(blacklisted)} blacklisted`] : []),
    counted(slots, "slot"),
    `${count(running)} running`,
    `${bytes(free)} free`,
    `${count(jobs.active)} active, ${count(jobs.ready)} ready, ${count(jobs.dead)} dead`,
    // One master on one machine has nothing to choose from.
    ...(role === undefined ? [] : [durability(journal)]),
    ...(role === undefined || role === "leads" ? [] : [leader == null ? "no master leads" : `${leader} leads`]),
    ...(ageMs >= oldMs ? [`told ${count(Math.round(ageMs / 1000))} s late`] : []),
    `version ${version}`,
  ];
}
