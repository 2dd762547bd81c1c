/** DDFS of a cluster, as a master has it: it answers for tags also while it follows, and decides while it leads. */
import { Ddfs } from "../../ddfs/ddfs.ts";
import { noCollection } from "../../ddfs/no-collection.ts";
import { replicasWanted } from "../../ddfs/replicas-wanted.ts";
import { TagService } from "../../ddfs/tag-service.ts";
import { masterHost } from "../../node/job-directory.ts";
import type { Coordinator } from "../coordinator.ts";
import { PeerBlobs, type PeerBlobsParts } from "./peer-blobs.ts";

export interface ClusterDdfsParts extends PeerBlobsParts {
  readonly coordinator: Coordinator;
  /** `DDFS_BLOB_REPLICAS`; `null`: three, or as many as there are nodes. */
  readonly replicas: number | null;
  readonly now: () => number;
}

/** Nodes keep their own reserve, and tell what is above it. */
const reserveBytes = 256 * 2 ** 20;

export function openClusterDdfs(parts: ClusterDdfsParts): Ddfs {
  const { coordinator, replicas, now } = parts;
  return new Ddfs({
    decider: coordinator,
    tags: new TagService({ decider: coordinator, now }),
    nodes: new PeerBlobs(parts),
    collection: noCollection(),
    replicas: (nodes) => replicasWanted(replicas, nodes),
    reserveBytes,
    host: masterHost,
    now,
  });
}
