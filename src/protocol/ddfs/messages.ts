/**
 * Messages about blobs between the master that leads and nodes, over the bus as JSON. Blobs themselves go over HTTP.
 *
 * A node serves `node.HOST.ddfs-list`, `ddfs-delete`, `ddfs-copy`, `ddfs-adopt`, `ddfs-verify`, `ddfs-scrub`; the master
 * serves `master.INSTANCE.ddfs-damaged.HOST`. Each message to a node carries the epoch, and lower ones are refused (N1).
 */

/** A file of a node. */
export interface StoredBlob {
  /** `NAME$ts`. */
  readonly object: string;
  /** `vol0` … */
  readonly volume: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, by the node's clock, when it was complete. */
  readonly storedAt: number;
  /** SHA-256 in hex, as it was when it was stored. */
  readonly digest: string;
}

export interface VolumeInfo {
  readonly volume: string;
  readonly freeBytes: number;
  readonly usedBytes: number;
  /** Why it takes nothing (`read-only`, `gone`, `full`, `failing`, `another's`); `null`: it does. */
  readonly trouble: string | null;
}

/** `ddfs-list`: a page of the node's blobs, in the order of volume and object. */
export interface ListBlobs {
  readonly epoch: number;
  /** Number of the run of garbage collection that asks: from then on the node refuses to delete for lower ones. Absent: no run asks. */
  readonly gc?: number;
  /** Only objects whose HH (the first byte of md5) is from `from` to `to`, both included, 0 … 255. Absent: all. */
  readonly hashes?: { readonly from: number; readonly to: number };
  /** The last of the page before. */
  readonly after?: { readonly volume: string; readonly object: string };
}

export interface BlobPage {
  readonly blobs: readonly StoredBlob[];
  readonly isLast: boolean;
  readonly volumes: readonly VolumeInfo[];
  /** A volume could not be read: what is not in the list may be there all the same. */
  readonly incomplete: boolean;
  /** `cluster-named` id of the cluster whose blobs these are; `null`: it has none yet. */
  readonly cluster: string | null;
}

/** `ddfs-delete`: those that are older than `graceMs` by the node's own clock. Lower numbers of `gc` than seen are refused. */
export interface DeleteBlobs {
  readonly epoch: number;
  readonly gc: number;
  readonly graceMs: number;
  readonly blobs: readonly { readonly object: string; readonly volume: string }[];
}

export interface DeletedBlobs {
  /** Objects whose file is gone (or never was). */
  readonly gone: readonly string[];
  readonly kept: readonly { readonly object: string; readonly reason: string }[];
}

/** `ddfs-copy`: fetch the blob from one of the other nodes, check it, keep it. Answers `StoredBlob` when it is on the disk. */
export interface CopyBlob {
  readonly epoch: number;
  readonly object: string;
  /** Addresses `disco://HOST/ddfs/…` of replicas, the best first. */
  readonly sources: readonly string[];
  readonly digest: string | null;
}

/** `ddfs-adopt`: a file of a job, below the node's data directory, is kept as a blob. Answers `StoredBlob`. The same again: the same. */
export interface AdoptFile {
  readonly epoch: number;
  readonly object: string;
  /** Relative to the data directory, with `/`. */
  readonly file: string;
  /** `file` is an index of results, and the file that it lists for this label is meant. */
  readonly label?: number;
}

/** `ddfs-verify`: read the whole of a blob, and compare. */
export interface VerifyBlob {
  readonly epoch: number;
  readonly object: string;
  readonly volume: string;
}

export type Verdict = "sound" | "damaged" | "missing";

/** Told by a node that found a blob damaged: it is kept aside (`.damaged`), and served no more. */
export interface DamagedBlob {
  readonly object: string;
  readonly volume: string;
  readonly found: "read" | "scrub" | "copy" | "list";
}

/** `ddfs-scrub`: verify all blobs at `bytesPerSecond` at most, or say how far that is. */
export interface ScrubNode {
  readonly epoch: number;
  readonly action: "start" | "stop" | "status";
  readonly bytesPerSecond?: number;
}

export interface ScrubStatus {
  readonly running: boolean;
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly string[];
  /** Milliseconds since 1970 of the end of the last whole round; `null`: there was none. */
  readonly finishedAt: number | null;
}
