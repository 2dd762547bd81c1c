/** Options of `DDFS` and its methods. */
import { badOption, checkNames, checkValues } from "../bad-option.ts";
import type { DiscoOptions } from "../disco-options.ts";
import type { Reader, ReaderChain } from "../infer.ts";
import {
  anObject,
  type Check,
  flag,
  functionCheck,
  functionList,
  integer,
  shown,
  stringList,
} from "../option-checks.ts";
import type { BlobData } from "./push-source.ts";

export interface DdfsOptions extends DiscoOptions {
  /** Shown where tags are read. Default: `DDFS_READ_TOKEN`. */
  readonly readToken?: string;
  /** Shown where tags are changed; a tag that is made by that asks for it from then on. Default: `DDFS_WRITE_TOKEN`. */
  readonly writeToken?: string;
}

/** Of everything that reads a tag. */
export interface TagReadOptions {
  /** Token for reading. Default: that of the address, of `DDFS`, or `DDFS_READ_TOKEN`. */
  readonly token?: string | undefined;
}

export interface TagWriteOptions {
  /** Token for writing. Default: that of the address, of `DDFS`, or `DDFS_WRITE_TOKEN`. */
  readonly token?: string | undefined;
}

export interface TagWalkOptions extends TagReadOptions {
  /**
   * Whether tags that do not exist count as empty: `false`: none, `true`: also the one that was asked for. Default: those to which tags
   * link.
   */
  readonly ignoreMissing?: boolean | undefined;
}

export interface TagUpdateOptions extends TagWriteOptions {
  /** Let the master wait for others that change the same tag, up to a second, and record all of it at once. Default: false. */
  readonly delayed?: boolean | undefined;
  /** Leave out blobs whose name the tag has already. Default: false. */
  readonly update?: boolean | undefined;
}

export interface PullOptions extends TagWalkOptions {
  /** Called with the name of each blob: `false` leaves it out. */
  readonly blobfilter?: ((name: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How far a `push` or `chunk` is. */
export interface PushProgress {
  /** Name of the blob of which something was sent, or that is stored. */
  readonly name: string;
  /** Bytes of it that were sent. */
  readonly bytes: number;
  /** Bytes that it has; `null`: not known. */
  readonly size: number | null;
  /** It is stored. */
  readonly isStored: boolean;
  /** Blobs stored so far, and of how many; `null`: that is not known. */
  readonly blobs: number;
  readonly blobsTotal: number | null;
  /** Bytes of all blobs that were sent, and of how many; `null`: that is not known. */
  readonly bytesSent: number;
  readonly bytesTotal: number | null;
}

export interface PushOptions extends TagUpdateOptions {
  /** How many nodes are to have each blob. Default: `DDFS_BLOB_REPLICAS` of the master. */
  readonly replicas?: number | undefined;
  /** So few will do when nodes are away or fail; others are made later. Default: all of them. */
  readonly minReplicas?: number | undefined;
  /** Nodes that are to have each blob. */
  readonly forceon?: readonly string[] | undefined;
  /** How often a blob is tried anew when nodes fail. Default: 10. */
  readonly retries?: number | undefined;
  /** Blobs at once, or inputs of `chunk`. Default: 4, and 2 of `chunk`. */
  readonly concurrency?: number | undefined;
  readonly progress?: ((progress: PushProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ChunkOptions<E = unknown, P = unknown> extends PushOptions {
  /** Bytes of compressed records, after which a blob is complete. Default: 64 MiB. */
  readonly chunkSize?: number | undefined;
  /** Bytes that one record may take in memory. Default: 64 MiB. */
  readonly maxRecordSize?: number | undefined;
  /** Makes records of bytes. Default: lines of text, or the records of what jobs and `chunk` wrote. */
  readonly reader?: Reader<E, P> | undefined;
  /** Readers, each reading what the one before gives; of compressed input, the first one gets it as it is. */
  readonly inputStream?: ReaderChain<E, P> | undefined;
  /** Passed to the readers. */
  readonly params?: P | undefined;
}

/** An address (a path, a glob, `http://…`, `tag://…`, results of a job), several of the same data, or contents with a name. */
export type ChunkInput = string | URL | readonly string[] | { readonly name: string; readonly data: BlobData };

/** What `push` and `chunk` return: addresses of the tag's new version, and of the replicas of each blob. */
export type Pushed = [tag: string[], blobs: string[][]];

export const defaultConcurrency = 4;
/** Each takes the memory of two chunks. */
export const defaultChunkConcurrency = 2;
export const defaultRetries = 10;
const concurrencyMax = 64;
const retriesMax = 1_000;
const replicasMax = 64;
const chunkBytesMax = 1024 * 1024 * 1024;

const tokenCheck: Check = (value) =>
  typeof value === "string" && /^[\x21-\x7e]{1,1000}$/.test(value) ? null : "a token of visible characters";
const signalCheck: Check = (value) => (value instanceof AbortSignal ? null : "an AbortSignal");

export const readChecks: Readonly<Record<keyof TagReadOptions, Check>> = { token: tokenCheck };
export const walkChecks: Readonly<Record<keyof TagWalkOptions, Check>> = { ...readChecks, ignoreMissing: flag };
export const updateChecks: Readonly<Record<keyof TagUpdateOptions, Check>> = {
  token: tokenCheck,
  delayed: flag,
  update: flag,
};
export const pullChecks: Readonly<Record<keyof PullOptions, Check>> = {
  ...walkChecks,
  blobfilter: functionCheck,
  signal: signalCheck,
};
export const pushChecks: Readonly<Record<keyof PushOptions, Check>> = {
  ...updateChecks,
  replicas: integer(1, replicasMax),
  minReplicas: integer(1, replicasMax),
  forceon: stringList,
  retries: integer(0, retriesMax),
  concurrency: integer(1, concurrencyMax),
  progress: functionCheck,
  signal: signalCheck,
};

export const chunkChecks: Readonly<Record<keyof ChunkOptions, Check>> = {
  ...pushChecks,
  chunkSize: integer(1, chunkBytesMax),
  maxRecordSize: integer(1, chunkBytesMax),
  reader: functionCheck,
  inputStream: functionList,
  params: () => null,
};

/** @throws JobError `unknown-option`, `bad-option` */
export function checkOptions(method: string, options: object, known: Readonly<Record<string, Check>>): void {
  if (anObject(options) !== null)
    throw badOption(`${method}: an object of options was expected, not ${shown(options)}`);
  checkNames(options, known, `${method}: `, () => undefined);
  const { token, ...others } = options as { token?: unknown };
  // A token is never quoted.
  assertToken(`${method}: token`, token);
  checkValues(others, known, `${method}: `);
}

/** @throws JobError `bad-option` */
export function assertToken(place: string, token: unknown): void {
  if (token !== undefined && tokenCheck(token) !== null) throw badOption(`${place}: ${tokenCheck(token)} was expected`);
}
