/**
 * What the client of DDFS needs of a master: the engine in this process implements it directly, a master elsewhere over HTTP. Errors
 * are `DiscoError`: `unknown-tag`, `tag-changed`, `unknown-attribute`, `bad-name`, `bad-url`, `bad-attribute`, `tag-unauthorized`,
 * `not-enough-nodes`, `blob-condemned`; `CommError` where the master or a node does not answer.
 */
import type { Readable } from "node:stream";
import type { GcStats } from "../../core/ddfs/events.ts";
import type { StoredBlob, VolumeInfo } from "../../protocol/ddfs/messages.ts";

/** A tag, as `GET /ddfs/tag/NAME` has it. */
export interface TagContents {
  readonly version: 1;
  /** `NAME$ts` of this version. */
  readonly id: string;
  /** `2026/11/22 11:27:27` */
  readonly "last-modified": string;
  /** Of each blob, or link to another tag, the addresses of its replicas; the newest first. */
  readonly urls: readonly (readonly string[])[];
  readonly "user-data": Readonly<Record<string, unknown>>;
}

export interface TokenOption {
  /** For tags that ask for one. Default: `DDFS_READ_TOKEN`, `DDFS_WRITE_TOKEN`. */
  readonly token?: string | undefined;
}

export interface UpdateOptions extends TokenOption {
  /** Wait for others that change the same tag, up to a second, and be recorded together. */
  readonly delayed?: boolean | undefined;
  /** Leave out blobs whose name the tag has already. */
  readonly update?: boolean | undefined;
}

export interface ReplaceOptions extends TokenOption {
  /** Only where the tag's version is still this one (`id`): else `tag-changed`, and nothing is changed. */
  readonly ifId?: string | undefined;
}

export interface NewBlobOptions {
  /** Default: `DDFS_BLOB_REPLICAS` of the master. */
  readonly replicas?: number | undefined;
  /** Nodes that are to have one, and that are not. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** A place for a replica, to be filled by `putBlob`. */
export interface BlobTarget {
  readonly host: string;
  /** `NAME$ts`; the same for all targets of a blob. */
  readonly object: string;
  /** Where it is put: `http://HOST:PORT/ddfs/NAME$ts`. In this process: not used. */
  readonly url: string;
}

export interface PutBlob {
  /** Bytes, where known. */
  readonly size?: number | undefined;
  /** SHA-256 in hex, where known. */
  readonly digest?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The caller sums up what it sends, and compares: what is returned is what the node tells. Sums cost more than sending does. */
  readonly isCompared?: boolean | undefined;
}

export interface GcStatus {
  /** `null`: none runs. */
  readonly phase: "listing" | "deleting" | "replicating" | "mending" | null;
  readonly gc: number;
  /** Done and to do, in the present phase. */
  readonly done: number;
  readonly total: number;
  /** Why nothing is deleted at present, or what waits: nodes that are away. */
  readonly notes: readonly string[];
}

export interface GcReport {
  readonly at: number;
  readonly stats: GcStats;
  readonly safe: readonly string[];
}

export interface NodeScrub {
  readonly host: string;
  readonly running: boolean;
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly string[];
  readonly finishedAt: number | null;
}

/** One thing that `fsck` found. */
export interface FsckFinding {
  readonly kind: "lost" | "under-replicated" | "damaged" | "broken-link" | "orphan" | "unknown-node";
  readonly tag: string | null;
  /** `NAME$ts`, or the tag that a link names. */
  readonly object: string;
  readonly replicas: number;
  readonly wanted: number;
  readonly message: string;
}

export interface NodeSpace {
  readonly host: string;
  readonly connected: boolean;
  /** Garbage collection empties it. */
  readonly leaving: boolean;
  readonly volumes: readonly VolumeInfo[];
}

export interface DdfsApi {
  newBlob(name: string, options?: NewBlobOptions): Promise<BlobTarget[]>;
  /** Stores a replica; returns its address `disco://HOST/ddfs/vol0/blob/hh/NAME$ts`, and what the node keeps of it. */
  putBlob(
    target: BlobTarget,
    body: AsyncIterable<Uint8Array>,
    options?: PutBlob,
  ): Promise<StoredBlob & { url: string }>;
  /** Opens a replica `disco://…`; read to its end it is checked. */
  openBlob(
    url: string,
    options?: { readonly from?: number; readonly signal?: AbortSignal },
  ): Promise<{
    readonly size: number;
    readonly digest: string | null;
    readonly body: Readable;
  }>;
  /** Size, digest and time, without the bytes; `null`: not there. */
  statBlob(url: string): Promise<StoredBlob | null>;
  tags(prefix?: string): Promise<string[]>;
  tag(name: string, options?: TokenOption): Promise<TagContents>;
  /** `ddfs:urls`, `ddfs:read-token`, `ddfs:write-token`, or a user's. */
  getAttr(name: string, attribute: string, options?: TokenOption): Promise<unknown>;
  setAttr(name: string, attribute: string, value: unknown, options?: TokenOption): Promise<void>;
  delAttr(name: string, attribute: string, options?: TokenOption): Promise<void>;
  /** Adds; returns the addresses of the tag's new version. */
  link(name: string, urls: readonly (readonly string[])[], options?: UpdateOptions): Promise<string[]>;
  /** Replaces. */
  putTag(name: string, urls: readonly (readonly string[])[], options?: ReplaceOptions): Promise<string[]>;
  deleteTag(name: string, options?: ReplaceOptions): Promise<void>;
  space(): Promise<NodeSpace[]>;
  hostedTags(host: string): Promise<string[]>;
  gcStart(): Promise<void>;
  gcStatus(): Promise<GcStatus>;
  /** Of the last run that ended; `null`: there was none. */
  gcStats(): Promise<GcReport | null>;
  safeGcBlacklist(): Promise<string[]>;
  scrubStart(options?: { readonly bytesPerSecond?: number }): Promise<void>;
  scrubStatus(): Promise<NodeScrub[]>;
  /** Compares tags with what nodes list, and changes nothing. */
  fsck(): AsyncIterable<FsckFinding>;
}
