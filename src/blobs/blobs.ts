/**
 * A store of blobs: immutable, named by the master (`NAME$ts`), each with the SHA-256 that it had when it came.
 *
 * BL1. A blob is whole or not there: it appears after its last byte, and its name, are on the disk.
 * BL2. What is read to its end is what was stored, or reading throws `blob-damaged` (and the store serves that file no more).
 * BL3. An object is stored once. The same bytes again are no error and change nothing; others are refused (`blob-exists`).
 * BL4. What is interrupted leaves nothing that is ever listed, and is swept later.
 */
import type { Readable } from "node:stream";
import type { DamagedBlob, StoredBlob, Verdict, VolumeInfo } from "../protocol/ddfs/messages.ts";

export interface Expected {
  /** Bytes that were announced; another number is refused (`cut-off`). */
  readonly size?: number | undefined;
  /** SHA-256 in hex that was announced; another one is refused (`digest-mismatch`). */
  readonly digest?: string | undefined;
  /** Epoch milliseconds for `storedAt`. Default: now. */
  readonly storedAt?: number | undefined;
}

export interface OpenedBlob extends StoredBlob {
  /** From the byte that was asked for to the last one that was. Read whole, it is checked (BL2); part of it is not. */
  readonly body: Readable;
}

export interface Range {
  /** The first byte. */
  readonly from: number;
  /** The byte behind the last; `null`: to the end. */
  readonly to: number | null;
}

/** A store that several nodes, or several clusters, could use: it is the first one's that says so. */
export interface SharedBlobs extends Blobs {
  /** Id of the cluster whose blobs these are; `null`: nobody's yet. */
  cluster(): Promise<string | null>;
  /** Returns whose it is from now on: the first one's. */
  claim(cluster: string): Promise<string>;
}

/** Which store it is, before anything is loaded or asked. */
export interface SharedStore {
  /** `s3://BUCKET/PREFIX`: its name where others are names of nodes. */
  readonly host: string;
  open(found: (blob: DamagedBlob) => void): Promise<SharedBlobs>;
}

export interface Blobs {
  readonly kind: "volumes" | "s3";
  /** Chunks are not to be written to any more once they were given. @throws DiscoError `bad-name`, `blob-exists`, `cut-off`, `digest-mismatch`, `disk-full`, `no-volume` */
  put(object: string, body: AsyncIterable<Uint8Array>, expected?: Expected): Promise<StoredBlob>;
  /** `null`: it is not here. @throws DiscoError `blob-damaged` */
  open(object: string, range?: Range): Promise<OpenedBlob | null>;
  stat(object: string): Promise<StoredBlob | null>;
  /** In the order of volume, HH and object, from behind `after`; of `hashes`, only those whose HH is from `from` to `to` (0 to 255). */
  list(
    after: { readonly volume: string; readonly object: string } | undefined,
    limit: number,
    hashes?: { readonly from: number; readonly to: number },
  ): Promise<{ readonly blobs: StoredBlob[]; readonly isLast: boolean; readonly incomplete: boolean }>;
  /** `false`: it is younger than `storedBefore` (ms since 1970) and stays. Gone already: `true`. */
  delete(object: string, volume: string, storedBefore: number): Promise<boolean>;
  verify(object: string, volume: string): Promise<Verdict>;
  volumes(): Promise<VolumeInfo[]>;
  close(): Promise<void>;
}
