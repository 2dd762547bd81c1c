/** DDFS of a cluster, as a master has it: it answers for tags also while it follows, and decides while it leads. */
import { setTimeout as after } from "node:timers/promises";
import type { Bus } from "../../bus/bus.ts";
import { Ddfs } from "../../ddfs/ddfs.ts";
import { GarbageCollector, type GarbageLog, type GarbageTimes } from "../../ddfs/gc/garbage-collector.ts";
import { leadingCollection } from "../../ddfs/gc/leading-collection.ts";
import { replicasWanted } from "../../ddfs/replicas-wanted.ts";
import { TagSnapshots } from "../../ddfs/snapshots/tag-snapshots.ts";
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
  /** `DDFS_TAG_REPLICAS`: nodes that keep each snapshot of the tags. Default: three. */
  readonly tagReplicas?: number;
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

/** Nodes that keep each snapshot of the tags, as Disco's master kept tags. */
const defaultTagReplicas = 3;
/** Nodes keep their own reserve, and tell what is above it. */
const reserveBytes = 256 * 2 ** 20;
/** A master that begins to lead has heard of no node yet: so long those are waited for that the journal has as connected. */
const gatherMsMax = 5_000;
const gatherPollMs = 25;

export function openClusterDdfs(parts: ClusterDdfsParts): ClusterDdfs {
  const { coordinator, bus, instance, replicas, now, refusal, store = null, times = {}, log } = parts;
  const { tagReplicas = defaultTagReplicas } = parts;
  const nodes = store === null ? new PeerBlobs(parts) : new StoreBlobs({ ...parts, store });
  const wanted = (count: number): number => replicasWanted(store === null ? replicas : 1, count);
  const epoch = (): number => coordinator.machine.cluster.epoch;
  let endStore: (() => Promise<void>) | null = null;
  let garbage: GarbageCollector | null = null;
  let snapshots: TagSnapshots | null = null;
  let ledAt = Number.NEGATIVE_INFINITY;
  const isAwaited = ({ host, connected }: { readonly host: string; readonly connected: boolean }): boolean =>
    connected && (parts.isSuspect(host) || parts.heartbeat(host) === null);
  const gathered = async (): Promise<void> => {
    while (performance.now() - ledAt < gatherMsMax && [...coordinator.machine.cluster.nodes.values()].some(isAwaited))
      await after(gatherPollMs, undefined, { ref: false });
  };
  const tags = new TagService({ decider: coordinator, now });
  const ddfs = new Ddfs({
    decider: coordinator,
    tags,
    nodes,
    collection: leadingCollection(() => garbage, refusal),
    replicas: wanted,
    reserveBytes,
    host: masterHost,
    now,
    gathered,
  });
  return {
    ddfs,
    garbage: () => garbage,
    lead: () => {
      ledAt = performance.now();
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
      const failed = (error: unknown): void =>
        log?.warn({ error: String(error) }, "a snapshot of all tags could not be kept on nodes; it is tried again");
      snapshots ??= new TagSnapshots({ decider: coordinator, ddfs, tags, replicas: tagReplicas, now, failed });
    },
    close: async () => {
      await garbage?.close();
      if (coordinator.leads) await snapshots?.close();
      await endStore?.();
      await store?.close();
    },
  };
}
