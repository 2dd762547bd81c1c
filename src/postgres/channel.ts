import { createHash } from "node:crypto";

/** Name of a channel of `NOTIFY`: at most 63 bytes, whatever the cluster is called. */
export function channelOf(what: string, cluster: string): string {
  return `disco_${what}_${createHash("sha256").update(cluster).digest("hex").slice(0, 32)}`;
}
