/**
 * A master's state as JSON, and back: what a master starts from, instead of all events since the beginning.
 * What version 1 did not have may be absent.
 */
import type { MasterSettings } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";
import type { EndedJob } from "./ended-job.ts";
import type { JobSnapshot } from "./job/snapshot.ts";
import { restoreJob, snapshotJob } from "./job/snapshot.ts";
import type { MasterOptions } from "./master.ts";
import { MasterMachine } from "./master.ts";
import type { Node } from "./scheduler/cluster.ts";

export const snapshotVersion = 2;

export interface MasterSnapshot {
  readonly version: number;
  readonly epoch: number;
  readonly lastMicros: number;
  readonly nodes: readonly (Omit<Node, "load" | "offered" | "resized"> & Partial<Pick<Node, "offered" | "resized">>)[];
  readonly blacklist: readonly string[];
  readonly gcBlacklist?: readonly string[];
  readonly settings?: MasterSettings;
  readonly config?: readonly (readonly [host: string, slots: number])[];
  readonly keys: readonly (readonly [key: string, job: string])[];
  readonly jobs: readonly JobSnapshot[];
  readonly ended: readonly EndedJob[];
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
    blacklist: [...cluster.blacklist].sort(),
    gcBlacklist: [...master.gcBlacklist].sort(),
    settings: cluster.settings,
    config: [...cluster.config],
    keys: [...master.keys].sort(([a], [b]) => (a < b ? -1 : 1)),
    jobs: [...master.jobs.values()].map(snapshotJob),
    ended: [...master.ended.values()],
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
  cluster.settings = { ...cluster.settings, ...from.settings };
  for (const [host, slots] of from.config ?? []) cluster.config.set(host, slots);
  for (const node of from.nodes)
    cluster.add({ ...node, offered: node.offered ?? node.slots, resized: node.resized ?? false, load: 0 });
  for (const [key, job] of from.keys) master.keys.set(key, job);
  for (const job of from.ended) master.ended.set(job.name, job);
  for (const job of from.jobs) master.adopt(restoreJob(job, cluster));
  for (const [key, name] of from.keys) {
    const job = master.jobs.get(name);
    if (job !== undefined) job.key = key;
  }
  return master;
}
