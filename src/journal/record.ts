/**
 * The bytes of a journal record: JSON, with a version. `prevHash` chains it to the record before; the hash of a record is
 * that of its bytes.
 */
import { hash } from "node:crypto";
import { DiscoError } from "../errors.ts";
import type { Head, StoredRecord, StoredSnapshot } from "./journal.ts";

export const recordVersion = 1;
/** Group commit: more events than this go into the next record. */
export const recordEventsMax = 64;

export interface JournalRecord<E = unknown> {
  readonly v: number;
  readonly seq: number;
  readonly prevHash: string;
  /** Of the master that wrote it. */
  readonly epoch: number;
  readonly writer: string;
  /** Unique among all records of the writer: tells whether an append of unknown outcome was committed. */
  readonly nonce: string;
  readonly events: readonly E[];
}

const lineFeed = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeRecord(record: Omit<JournalRecord, "v">): Uint8Array {
  return encoder.encode(JSON.stringify({ v: recordVersion, ...record }));
}

/** As `encodeRecord`, of events that are JSON already. */
export function encodeRecordOf(record: Omit<JournalRecord, "v" | "events">, events: readonly string[]): Uint8Array {
  const head = JSON.stringify({ v: recordVersion, ...record });
  return encoder.encode(`${head.slice(0, -1)},"events":[${events.join(",")}]}`);
}

/** @throws DiscoError `journal-corrupt`, `newer-version` */
export function decodeRecord<E>(seq: number, body: Uint8Array): JournalRecord<E> {
  let record: JournalRecord<E>;
  try {
    record = JSON.parse(decoder.decode(body)) as JournalRecord<E>;
  } catch (cause) {
    throw corrupt(seq, "it is not JSON", cause);
  }
  if (typeof record !== "object" || record === null || !Number.isInteger(record.v))
    throw corrupt(seq, "it has no version");
  if (record.v > recordVersion) {
    throw new DiscoError(
      `record ${seq} of the journal has version ${record.v}, this software reads up to ${recordVersion}`,
      {
        code: "newer-version",
        hint: "Use the newer release of disco-mapreduce that wrote it.",
      },
    );
  }
  if (record.seq !== seq) throw corrupt(seq, `it calls itself record ${record.seq}`);
  if (!Array.isArray(record.events)) throw corrupt(seq, "it has no events");
  return record;
}

export function hashOf(body: Uint8Array): string {
  return hash("sha256", body, "hex");
}

/** A snapshot's bytes: their hash (hex), a line feed, JSON. */
export function encodeSnapshot(state: unknown): Uint8Array {
  const json = encoder.encode(JSON.stringify(state));
  return Buffer.concat([encoder.encode(`${hashOf(json)}\n`), json]);
}

/** @throws DiscoError `journal-corrupt` */
export function decodeSnapshot<T>({ seq, body }: StoredSnapshot): T {
  const end = body.indexOf(lineFeed);
  const json = body.subarray(end + 1);
  if (end < 0 || hashOf(json) !== decoder.decode(body.subarray(0, end))) {
    throw new DiscoError(`the snapshot at record ${seq} of the journal is corrupt`, {
      code: "journal-corrupt",
      hint: "Restore the journal from a copy, or start with another root directory.",
    });
  }
  return JSON.parse(decoder.decode(json)) as T;
}

/** Checks that records follow each other (JR2). */
export class Chain {
  #head: Head;
  #anchored: boolean;

  /** `after`: the record before the first, as far as it is known: a `hash` of `null` is not compared. */
  constructor(after: { readonly seq: number; readonly hash: string | null }) {
    this.#head = { seq: after.seq, hash: after.hash ?? "" };
    this.#anchored = after.hash !== null;
  }

  /** Returns the record taken apart: reading it once is enough. */
  check<E>(record: StoredRecord): JournalRecord<E> {
    const seq = this.#head.seq + 1;
    if (record.seq !== seq) {
      throw new DiscoError(`record ${seq} of the journal is missing, the next one is ${record.seq}`, {
        code: "journal-gap",
        hint: "Records never vanish by themselves: restore the journal from a copy.",
      });
    }
    const hash = hashOf(record.body);
    if (hash !== record.hash) throw corrupt(seq, "its bytes do not match its hash");
    const decoded = decodeRecord<E>(seq, record.body);
    if (this.#anchored && decoded.prevHash !== this.#head.hash)
      throw corrupt(seq, "it does not follow the record before");
    this.#head = { seq, hash };
    this.#anchored = true;
    return decoded;
  }
}

export function corrupt(seq: number, why: string, cause?: unknown): DiscoError {
  return new DiscoError(`record ${seq} of the journal is corrupt: ${why}`, {
    code: "journal-corrupt",
    hint: "Nothing after it can be trusted: restore the journal from a copy, or start with another root directory.",
    cause,
  });
}
