/**
 * Answers that are too large for a message: the engine that carries messages is not made for bulk (NATS takes 1 MB by default). Instead
 * of the bytes comes a path at the server of whoever answered, from which they are fetched over HTTP.
 */

/** An answer above this has a path instead. */
export const replyBytesMax = 512 * 1024;

/** No JSON begins with it. */
const mark = 0;

/** `path`: at the master's server, e.g. `/disco/_master/hh/JOB/manifest-0.json`. */
export function largeReply(path: string): Uint8Array {
  return Buffer.concat([Buffer.of(mark), Buffer.from(path, "utf8")]);
}

/** The path; `null` for an answer that is here. */
export function largeReplyPath(reply: Uint8Array): string | null {
  return reply[0] === mark ? Buffer.from(reply.subarray(1)).toString("utf8") : null;
}

/** What is known of where a job's pack lies. */
export interface PackPlaces {
  /** Absolute path at the master: for nodes of its machine. */
  readonly file: string;
  /** Absent: the master has no copy that it could have hashed. */
  readonly sha256?: string;
  /** Where it is fetched from, one after the other. */
  readonly urls: readonly string[];
}
