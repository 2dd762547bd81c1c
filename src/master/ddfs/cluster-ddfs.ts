/** DDFS of a cluster, as a master has it: it answers for tags also while it follows, and decides while it leads. */
import type { Bus } from "../../bus/bus.ts";
import { Ddfs } from "../../ddfs/ddfs.ts";
import { GarbageCollector, type GarbageLog, type GarbageTimes } from "../../ddfs/gc/garbage-collector.ts";
import { leadingCollection } from "../../ddfs/gc/leading-collection.ts";
import { replicasWanted } from "../../ddfs/replicas-wanted.ts";
import { TagService } from "../../ddfs/tag-service.ts";
import type { OwnBlobs } from "../../node/ddfs/own-blobs.ts";
import { masterHost } from "../../node/job-directory.ts";
import type { Coordinator } from "../coordinator.ts";
import { PeerBlobs, type PeerBlobsParts } from "./peer-blobs.ts";
import { StoreBlobs } from "./store-blobs.ts";
import { serveStoreSubjects } from "./store-subjects.ts";

export interface ClusterDdfsParts extends PeerBlobsParts {
  readonly coordinator: Coordinator;
  /** `DDFS_BLOB_REPLICAS`; `null`: three, or as many as there are nodes. */
  readonly replicas: number | null;
  readonly now: () => number;
  readonly bus: Bus;
  /** Of this start of the master. */
  readonly instance: string;
  /** Why it collects nothing while another one leads. */
  readonly refusal: () => Error;
  /** What all nodes use instead of volumes of their own. */
  readonly store?: OwnBlobs | null;
  readonly times?: GarbageTimes;
  readonly log?: GarbageLog;
}

export interface ClusterDdfs {
  readonly ddfs: Ddfs;
  /** While it leads. */
  readonly garbage: () => GarbageCollector | null;
  /** It leads from now on. */
  lead(): void;
  close(): Promise<void>;
}

/** Nodes keep their own reserve, and tell what is above it. */
const reserveBytes = 256 * 2 ** 20;

export function openClusterDdfs(parts: ClusterDdfsParts): ClusterDdfs {
  const { coordinator, bus, instance, replicas, now, refusal, store = null, times = {}, log } = parts;
  const nodes = store === null ? new PeerBlobs(parts) : new StoreBlobs({ ...parts, store });
  const wanted = (count: number): number => replicasWanted(store === null ? replicas : 1, count);
  const epoch = (): number => coordinator.machine.cluster.epoch;
  let endStore: (() => Promise<void>) | null = null;
  let garbage: GarbageCollector | null = null;
  const ddfs = new Ddfs({
    decider: coordinator,
    tags: new TagService({ decider: coordinator, now }),
    nodes,
    collection: leadingCollection(() => garbage, refusal),
    replicas: wanted,
    reserveBytes,
    host: masterHost,
    now,
  });
  return {
    ddfs,
    garbage: () => garbage,
    lead: () => {
      const host = store?.sharedHost ?? null;
      if (store !== null && host !== null) {
        const cluster = (): string | null => coordinator.machine.tags.cluster;
        endStore ??= serveStoreSubjects({ bus, blobs: store, host, epoch, cluster });
      }
      garbage ??= new GarbageCollector({
        decider: coordinator,
        bus,
        instance,
        epoch,
        nodes,
        replicas: wanted,
        reserveBytes,
        now,
        ...times,
        ...(log === undefined ? {} : { log }),
      });
    },
    close: async () => {
      await garbage?.close();
      await endStore?.();
      await store?.close();
    },
  };
}
