/**
 * A master's state as JSON, and back: what a master starts from, instead of all events since the beginning.
 * What earlier versions did not have may be absent.
 */
import type { MasterSettings } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";
import { Tags, type TagsSnapshot } from "./ddfs/tags.ts";
import type { EndedJob } from "./ended-job.ts";
import type { JobSnapshot } from "./job/snapshot.ts";
import { restoreJob, snapshotJob } from "./job/snapshot.ts";
import type { MasterOptions } from "./master.ts";
import { MasterMachine } from "./master.ts";
import type { Node } from "./scheduler/cluster.ts";

export const snapshotVersion = 4;

/** What nodes did not have in version 1. */
type LaterInNodes = "offered" | "resized" | "url" | "session" | "draining" | "health";

export interface MasterSnapshot {
  readonly version: number;
  readonly epoch: number;
  readonly lastMicros: number;
  readonly nodes: readonly (Omit<Node, "load" | LaterInNodes> & Partial<Pick<Node, LaterInNodes>>)[];
  /** Absent before version 3, as are `url`, `session`, `draining` and `health` of nodes. */
  readonly tasksOk?: number;
  readonly tasksFailed?: number;
  readonly blacklist: readonly string[];
  readonly gcBlacklist?: readonly string[];
  /** The oldest first. Absent before the release that remembers them. */
  readonly purged?: readonly string[];
  readonly settings?: MasterSettings;
  readonly config?: readonly (readonly [host: string, slots: number])[];
  readonly keys: readonly (readonly [key: string, job: string])[];
  readonly jobs: readonly JobSnapshot[];
  readonly ended: readonly EndedJob[];
  /** Absent before version 4. */
  readonly ddfs?: TagsSnapshot;
}

export function snapshotMaster(master: MasterMachine): MasterSnapshot {
  const { cluster } = master;
  return {
    version: snapshotVersion,
    epoch: cluster.epoch,
    lastMicros: master.lastMicros,
    nodes: [...cluster.nodes.values()]
      .sort((a, b) => (a.host < b.host ? -1 : 1))
      .map(({ load: _load, ...node }) => node),
    tasksOk: cluster.tasksOk,
    tasksFailed: cluster.tasksFailed,
    blacklist: [...cluster.blacklist].sort(),
    gcBlacklist: [...master.gcBlacklist].sort(),
    purged: master.purged.names(),
    settings: cluster.settings,
    config: [...cluster.config],
    keys: [...master.keys].sort(([a], [b]) => (a < b ? -1 : 1)),
    jobs: [...master.jobs.values()].map(snapshotJob),
    ended: [...master.ended.values()],
    ddfs: master.tags.save(),
  };
}

export function restoreMaster(from: MasterSnapshot, options: MasterOptions = {}): MasterMachine {
  if (from.version > snapshotVersion) {
    throw new DiscoError(`the snapshot has version ${from.version}, this software reads up to ${snapshotVersion}`, {
      code: "newer-version",
      hint: "Use the newer release of disco-mapreduce that wrote it.",
    });
  }
  const master = new MasterMachine(options);
  const { cluster } = master;
  cluster.epoch = from.epoch;
  master.lastMicros = from.lastMicros;
  for (const host of from.blacklist) cluster.blacklist.add(host);
  for (const host of from.gcBlacklist ?? []) master.gcBlacklist.add(host);
  for (const job of from.purged ?? []) master.purged.note(job);
  cluster.settings = { ...cluster.settings, ...from.settings };
  if (from.ddfs !== undefined) master.tags = Tags.restore(from.ddfs);
  for (const [host, slots] of from.config ?? []) cluster.config.set(host, slots);
  cluster.tasksOk = from.tasksOk ?? 0;
  cluster.tasksFailed = from.tasksFailed ?? 0;
  for (const node of from.nodes) cluster.add(nodeOf(node));
  for (const [key, job] of from.keys) master.keys.set(key, job);
  for (const job of from.ended) master.ended.set(job.name, job);
  for (const job of from.jobs) master.adopt(restoreJob(job, cluster));
  for (const [key, name] of from.keys) {
    const job = master.jobs.get(name);
    if (job !== undefined) job.key = key;
  }
  return master;
}

function nodeOf(from: MasterSnapshot["nodes"][number]): Node {
  const { offered = from.slots, resized = false, url = null, session = null, draining = false, health = null } = from;
  // Of its own: the snapshot may be that of a master in this process.
  const own = health === null ? null : { ...health, tasks: [...health.tasks], losses: [...health.losses] };
  return { ...from, offered, resized, url, session, draining, health: own, load: 0 };
}
