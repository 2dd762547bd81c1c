/**
 * The journal: the one authority on what happened. A total order of records, each bound to the one before by its hash.
 * Everything that a master knows is a fold of it; whoever appends decides, and only one can.
 *
 * JR1. `append(n, …)` commits if and only if the head is n, whatever the number of callers.
 * JR2. Reading is dense (n, n + 1, …) and hash-chained, or it throws and names the first bad seq. It never skips.
 * JR3. What was committed is read back, byte for byte, until it is trimmed, and only what a snapshot covers is trimmed.
 * JR4. `unknown` is a normal answer of a journal across a network. The caller reads back and looks for its nonce.
 */

/** Place and hash of the last record; `{ seq: 0, hash: "" }` of an empty journal. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** A record as it is stored: `body` is what `encodeRecord` made. */
export interface StoredRecord extends Head {
  readonly body: Uint8Array;
}

/** The state after record `seq`, as the owner of the journal encoded it. */
export interface StoredSnapshot extends Head {
  readonly body: Uint8Array;
}

export type Appended =
  | ({ readonly kind: "committed" } & Head)
  /** Somebody else's record is there already. A master that sees this is deposed. */
  | ({ readonly kind: "conflict" } & Head)
  | { readonly kind: "unknown"; readonly cause: unknown };

/** What the engine below promises. */
export interface Caps {
  readonly engine: string;
  /** What a committed record survives. */
  readonly durable: "fsync" | "process-crash" | "memory";
  readonly replicas: number;
  /** Version of the engine's server, where it tells. */
  readonly version?: string;
  /** What somebody should know about it, a sentence each. */
  readonly notes?: readonly string[];
  /** Bytes of the largest record. */
  readonly recordBytesMax: number;
}

export interface Journal {
  readonly caps: Caps;
  head(): Promise<Head>;
  append(expect: number, body: Uint8Array): Promise<Appended>;
  /** Records from `from` on (at least 1), to the present head. @throws DiscoError `journal-gap`, `journal-corrupt` */
  read(from: number): AsyncIterable<StoredRecord>;
  /** As `read`, then those that are appended, until the signal aborts. */
  follow(from: number, signal: AbortSignal): AsyncIterable<StoredRecord>;
  /** Keeps a snapshot of the state after `at`, instead of an older one. @throws DiscoError `bad-snapshot` if `at` is no record. */
  saveSnapshot(at: Head, body: Uint8Array): Promise<void>;
  snapshot(): Promise<StoredSnapshot | null>;
  /** Forgets records with `seq < below`. @throws DiscoError `bad-trim` if the snapshot does not cover them. */
  trim(below: number): Promise<void>;
  close(): Promise<void>;
}
