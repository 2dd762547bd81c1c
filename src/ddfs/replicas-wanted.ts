/**
 * How many replicas a blob has where nobody says. On one machine one: a second on the same disk protects from nothing. In a cluster
 * three, so that two nodes may be lost at once with their disks, or as many as there are nodes: a cluster of two is to take blobs, and
 * re-replication makes the third when a third node comes.
 */
export const replicasOfCluster = 3;

/** `setting`: `DDFS_BLOB_REPLICAS`; `null`: as above. */
export function replicasWanted(setting: number | null, nodes: number): number {
  return setting ?? Math.max(1, Math.min(replicasOfCluster, nodes));
}
