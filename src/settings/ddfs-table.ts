/** The settings of DDFS (`table.ts` has the others). Names that Disco had are Disco's. */
import { duration, durationOrNever } from "./quantities.ts";
import type { Setting } from "./table.ts";
import { optional, text, type ValueType, wholeNumber } from "./value-type.ts";

const day = 86_400;
const replicasMax = 64;
const none = () => null;
const storeAddress: ValueType<string> = {
  expects: "s3://bucket/prefix",
  read: (raw) => (typeof raw === "string" && /^s3:\/\/[^/\s]+(?:\/\S*)?$/.test(raw) ? { value: raw } : null),
  show: (value) => value,
};
const tokenType = {
  ...optional(text("one line of text"), "none"),
  show: (value: string | null): string => (value === null ? "none" : "set"),
};

export const ddfsTable = {
  blobReplicas: row({
    flag: "--blob-replicas <n>",
    env: "DDFS_BLOB_REPLICAS",
    key: "ddfs.blob_replicas",
    type: optional(wholeNumber(1, replicasMax), "auto"),
    default: none,
    defaultText: "1 on one machine; in a cluster 3, or as many as there are nodes",
    description: "replicas of each blob, on as many nodes, where its client does not say",
  }),
  tagReplicas: row({
    flag: "--tag-replicas <n>",
    env: "DDFS_TAG_REPLICAS",
    key: "ddfs.tag_replicas",
    type: wholeNumber(1, replicasMax),
    default: () => 3,
    description:
      "nodes of a cluster that keep each snapshot of all tags, from which they are restored when the journal is gone",
  }),
  gcInterval: row({
    flag: "--gc-interval <time>",
    env: "DDFS_GC_INTERVAL",
    key: "ddfs.gc_interval",
    type: durationOrNever,
    default: (): number | null => day,
    description: "time between two runs of garbage collection in DDFS",
  }),
  gcGrace: row({
    flag: "--gc-grace <time>",
    env: "DDFS_GC_GRACE",
    key: "ddfs.gc_grace",
    type: duration,
    default: () => 5 * day,
    description: "blobs that no tag names are kept so long: a push has this time between its first blob and its tag",
  }),
  lostAfter: row({
    flag: "--lost-after <time>",
    env: "DDFS_LOST_AFTER",
    key: "ddfs.lost_after",
    type: duration,
    default: () => 300,
    description: "the blobs of a node that is away so long are copied to others",
  }),
  scrubInterval: row({
    flag: "--scrub-interval <time>",
    env: "DDFS_SCRUB_INTERVAL",
    key: "ddfs.scrub_interval",
    type: durationOrNever,
    default: (): number | null => 30 * day,
    description: "time between two rounds in which nodes read all their blobs and mend what is damaged",
  }),
  ddfsStore: row({
    flag: "--ddfs-store <url>",
    env: "DDFS_STORE",
    key: "ddfs.store",
    type: optional(storeAddress, "none"),
    default: none,
    defaultText: "nodes keep blobs on their disks",
    description:
      "where blobs are kept instead: `s3://bucket/prefix`, the same for all masters and nodes ([s3.md](s3.md))",
  }),
  ddfsReadToken: client("DDFS_READ_TOKEN", "shown to tags that ask for a token before they are read"),
  ddfsWriteToken: client("DDFS_WRITE_TOKEN", "shown to tags that ask for a token before they are changed"),
};

function row<T>(setting: Omit<Setting<T>, "of">): Setting<T> {
  return { of: "daemon", ...setting };
}

function client(env: string, description: string): Setting<string | null> {
  return { of: "client", flag: null, env, key: null, type: tokenType, default: none, description, secret: true };
}
