/**
 * What can happen to DDFS, for the journal, beside the events of jobs (`core/events.ts`). Tags are nothing but the fold of these.
 *
 * Lists of URLs are text: a line a blob, its replicas with tabs between them (no URL has either). A list that does not fit into a
 * record is staged in parts; the event that names the parts makes the whole of it true at once.
 */

interface At {
  /** Milliseconds since 1970, by the clock of the master that recorded it. */
  readonly at: number;
}

export type DdfsEvent =
  | ClusterNamed
  | UrlsStaged
  | TagChanged
  | TagDeleted
  | ReplicasChanged
  | GcStarted
  | BlobsCondemned
  | BlobsGone
  | GcEnded;

/** Lines of tab-separated replicas: the first line is the newest blob, as `GET /ddfs/tag/…` has them. */
export type UrlText = string;

/** Said once in the life of a journal: what nodes keep beside their blobs, so that they are never another cluster's orphans. */
export interface ClusterNamed extends At {
  readonly kind: "cluster-named";
  readonly id: string;
}

/** Part of a list that is too long for one record. Parts of an update that never came are dropped when another master starts. */
export interface UrlsStaged extends At {
  readonly kind: "urls-staged";
  /** Unique. Parts come in order. */
  readonly update: string;
  readonly urls: UrlText;
  /** The update will not come: its parts are nobody's. */
  readonly dropped?: true;
}

/** A tag is created or changed. `id` is the new version's: `NAME$ts`. */
export interface TagChanged extends At {
  readonly kind: "tag-changed";
  readonly tag: string;
  readonly id: string;
  readonly change: TagChange;
  /** Of the requests that are carried out with this: one that comes again has been carried out. */
  readonly keys?: readonly string[];
  /** Of a tag that is created by this: its tokens. */
  readonly tokens?: { readonly read?: string; readonly write?: string };
}

export type TagChange =
  /** Put before those that are there. `dedupe`: without blobs whose name (`blobNameOf`) the tag, or an earlier line, has already. */
  | { readonly kind: "link"; readonly urls: UrlText; readonly staged?: string; readonly dedupe?: boolean }
  /** Instead of those that are there. */
  | { readonly kind: "put"; readonly urls: UrlText; readonly staged?: string }
  /** JSON values of users; tokens are attributes of their own. */
  | { readonly kind: "set-attribute"; readonly name: string; readonly value: unknown }
  | { readonly kind: "delete-attribute"; readonly name: string }
  /** `null`: whoever reaches the master may. */
  | { readonly kind: "set-token"; readonly which: "read" | "write"; readonly token: string | null };

export interface TagDeleted extends At {
  readonly kind: "tag-deleted";
  readonly tag: string;
}

/** Replicas were made, found or given up: in all tags that name the blob. A blob keeps its last replica, whatever is said. */
export interface ReplicasChanged extends At {
  readonly kind: "replicas-changed";
  readonly changes: readonly ReplicaChange[];
  /** The tags that name them. Absent: any may. */
  readonly tags?: readonly string[];
}

export interface ReplicaChange {
  /** `NAME$ts`. */
  readonly object: string;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/** A run of garbage collection. Its number is above those of all before; nodes refuse lower ones, as they do epochs. */
export interface GcStarted extends At {
  readonly kind: "gc-started";
  readonly gc: number;
}

/** No tag names these: they will be deleted, and no tag may name them from now on (`blob-condemned`). */
export interface BlobsCondemned extends At {
  readonly kind: "blobs-condemned";
  readonly gc: number;
  readonly objects: readonly string[];
}

/** Their files are deleted on all nodes. (Not said: they stay condemned, and the next run deletes them.) */
export interface BlobsGone extends At {
  readonly kind: "blobs-gone";
  readonly objects: readonly string[];
}

export interface GcEnded extends At {
  readonly kind: "gc-ended";
  readonly gc: number;
  readonly stats: GcStats;
  /** Nodes of the GC blacklist from which nothing is missed any more. */
  readonly safe: readonly string[];
}

/** Files and bytes, as Disco counts them. */
export interface GcStats {
  readonly blobsKept: readonly [files: number, bytes: number];
  readonly blobsDeleted: readonly [files: number, bytes: number];
  readonly tagsKept: readonly [files: number, bytes: number];
  readonly tagsDeleted: readonly [files: number, bytes: number];
  /** Replicas made, and blobs of which no replica could be found. */
  readonly replicated: number;
  readonly lost: number;
}
