/** DDFS of one machine: volumes in the data directory, tags in the journal of the same root. It is opened when somebody uses it. */
import type { Bus } from "../../bus/bus.ts";
import { Ddfs } from "../../ddfs/ddfs.ts";
import { GarbageCollector, type GarbageTimes } from "../../ddfs/gc/garbage-collector.ts";
import { OnlyNodeBlobs } from "../../ddfs/only-node-blobs.ts";
import { replicasWanted } from "../../ddfs/replicas-wanted.ts";
import { TagSnapshots } from "../../ddfs/snapshots/tag-snapshots.ts";
import { TagService } from "../../ddfs/tag-service.ts";
import type { OwnBlobs } from "../../node/ddfs/own-blobs.ts";
import type { Coordinator } from "../coordinator.ts";
import { nameCluster } from "./cluster-name.ts";
import { serveStoreSubjects } from "./store-subjects.ts";

export interface OwnDdfsParts {
  readonly blobs: OwnBlobs;
  readonly coordinator: Coordinator;
  readonly bus: Bus;
  /** Of this start of the master. */
  readonly instance: string;
  readonly host: string;
  /** Base URL of the master; of an engine in a user's process an address that nobody asks. */
  readonly url: () => string;
  /** `DDFS_BLOB_REPLICAS`; `null`: one. */
  readonly replicas: number | null;
  readonly reserveBytes: number;
  readonly now: () => number;
  readonly times?: GarbageTimes;
  /** What is kept goes with this process: nobody will want it back. */
  readonly isPassing?: boolean;
}

export interface OwnDdfs {
  readonly ddfs: Ddfs;
  readonly garbage: GarbageCollector;
  /** The coordinator is still there. */
  close(): Promise<void>;
}

/** @throws DiscoError what `record` throws, and what keeps the volumes from being used */
export async function openOwnDdfs(parts: OwnDdfsParts): Promise<OwnDdfs> {
  const { blobs, coordinator, bus, instance, url, replicas, reserveBytes, now, times = {}, isPassing } = parts;
  const { sharedHost } = blobs;
  const host = sharedHost ?? parts.host;
  const volumes = await blobs.open();
  await blobs.belongTo(coordinator.machine.tags.cluster);
  await nameCluster(coordinator, now);
  await blobs.belongTo(coordinator.machine.tags.cluster);
  const tags = new TagService({ decider: coordinator, now });
  const leaving = (): boolean => coordinator.machine.gcBlacklist.has(host);
  const nodes = new OnlyNodeBlobs({ host, blobs: volumes, url, leaving });
  const wanted = (count: number): number => replicasWanted(sharedHost === null ? replicas : 1, count);
  const epoch = (): number => coordinator.machine.cluster.epoch;
  const endStore =
    sharedHost === null
      ? null
      : serveStoreSubjects({ bus, blobs, host, epoch, cluster: () => coordinator.machine.tags.cluster });
  const garbage = new GarbageCollector({
    decider: coordinator,
    bus,
    instance,
    epoch,
    nodes,
    replicas: wanted,
    reserveBytes,
    now,
    ...times,
  });
  const ddfs = new Ddfs({
    decider: coordinator,
    tags,
    nodes,
    collection: garbage,
    replicas: wanted,
    reserveBytes,
    host,
    now,
  });
  const snapshots =
    isPassing === true ? null : new TagSnapshots({ decider: coordinator, ddfs, tags, replicas: 1, now });
  // What waits is recorded, or told of what keeps it from being.
  const close = async (): Promise<void> => {
    await garbage.close();
    await tags.flush().catch(() => undefined);
    await snapshots?.close();
    await endStore?.();
  };
  return { ddfs, garbage, close };
}
