/**
 * Between a process that reads synchronously and its I/O thread: one message port a stream. The thread may run ahead of the
 * reader by a window of chunks; each chunk that is read opens the window by one.
 */
import type { MessagePort } from "node:worker_threads";

/** What a stream does; posted to the thread with the port and a counter that the thread raises for each message. */
export interface OpenStream {
  readonly task: StreamTask;
  readonly port: MessagePort;
  readonly signal: Int32Array;
}

/** Shared state of the thread, for a reader that blocks and so hears no event: 0 starting, then one of these. */
export const threadRuns = 1;
export const threadFailed = 2;

export type StreamTask =
  | Download
  | { readonly kind: "inflate"; readonly name: string; readonly format: InflateFormat }
  /** An object of S3, or lines of one. The thread has the credentials from the environment. */
  | { readonly kind: "s3"; readonly name: string };

export interface Download {
  readonly kind: "download";
  /** What errors call it. */
  readonly name: string;
  readonly url: string;
  /** Shown to the server of `url`, and to none that it redirects to. */
  readonly token: string | null;
  /** Where it is asked for first. When that fails in any way, `url` has the last word. */
  readonly shortcut: { readonly url: string; readonly token: string | null } | null;
  /** It comes from a node's data server. */
  readonly file: NodeFile | null;
  /** A server that cannot be reached is not asked again. */
  readonly isHasty: boolean;
}

/** What is known of a file of a node's before it is asked for. */
export interface NodeFile {
  /** Bytes; `null`: not known. */
  readonly size: number | null;
}

export type InflateFormat = "gzip" | "zstd" | "deflate" | "br";

export type ToThread =
  /** A chunk was read. */
  | { readonly kind: "more" }
  | { readonly kind: "input"; readonly chunk: Uint8Array }
  | { readonly kind: "input-end" }
  /** Nothing more will be read. */
  | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "chunk"; readonly chunk: Uint8Array }
  /** A chunk of input was used up. */
  | { readonly kind: "taken" }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly error: IoFailure };

/** An error as plain values: classes do not survive the way between threads. */
export interface IoFailure {
  readonly kind: "data" | "comm";
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Thrown inside the thread; becomes a `DataError` or `CommError` in the reader. */
export class IoError extends Error {
  override name = "IoError";
  readonly failure: IoFailure;

  constructor(failure: IoFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** How HTTP calls them. */
export const contentEncodings: Readonly<Record<string, InflateFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
  zstd: "zstd",
};

/** Chunks that may wait for their reader: at 256 KiB each, 4 MiB a stream. */
export const windowChunks = 16;
export const chunkBytes = 256 * 1024;
