/**
 * A journal in PostgreSQL, for any number of masters.
 *
 * - An append is one statement, one round trip: it moves the cluster's head from n to n + 1 if it is n, and adds the record. Others
 *   that try the same wait for the row, look again and find it moved. Both take effect or none.
 * - What is committed is on the disk of the server (`PC4`), if the server has not been told otherwise (`fsync = off`): `caps` says so.
 * - `NOTIFY` wakes those who follow; who missed it finds the record half a second later.
 * - `unknown` is the answer when the connection broke or the server was too slow. Asked again with the very same bytes, `append`
 *   answers `committed` if they lie there.
 * - Records are read in portions of some megabytes, each by one statement, checked against the one before.
 */
import { CommError, DiscoError } from "../errors.ts";
import { channelOf } from "../postgres/channel.ts";
import type { PostgresConnection, Transaction } from "../postgres/connection.ts";
import type { PostgresDatabase } from "../postgres/database.ts";
import { Wake } from "../wake.ts";
import type { Appended, Caps, Head, Journal, StoredRecord, StoredSnapshot } from "./journal.ts";
import { Chain, hashOf } from "./record.ts";

/** A value of PostgreSQL has a gigabyte at most, and travels as text of twice its length. */
const recordBytesMax = 64 * 2 ** 20;
const portionBytes = 4 * 2 ** 20;
const portionRecordsMax = 1_000;
const snapshotPartBytes = 8 * 2 ** 20;
const trimRecordsMax = 10_000;
const lookAgainMs = 500;
const outagePauseMs = 500;
/** Snapshots are large, and nobody waits for them. */
const snapshotPatienceMs = 10 * 60_000;

const append = `
  WITH moved AS (UPDATE disco_heads SET seq = $2, hash = $3 WHERE cluster = $1 AND seq = $2::bigint - 1 RETURNING seq),
    added AS (INSERT INTO disco_records (cluster, seq, hash, body) SELECT $1, seq, $3, $4 FROM moved RETURNING seq)
  SELECT pg_notify($5, '') FROM added`;

interface RecordRow {
  readonly seq: string;
  readonly hash: string;
  readonly body: Buffer;
}

/** @throws DiscoError and CommError of the connection */
export async function openPostgresJournal(database: PostgresDatabase): Promise<PostgresJournal> {
  const journal = new PostgresJournal(database);
  await journal.begin();
  return journal;
}

export class PostgresJournal implements Journal {
  readonly caps: Caps;
  readonly #cluster: string;
  readonly #channel: string;
  readonly #writer: PostgresConnection;
  readonly #reader: PostgresConnection;
  /** For snapshots, which would hold up the others. */
  readonly #keeper: PostgresConnection;

  constructor(database: PostgresDatabase) {
    this.#cluster = database.cluster;
    this.#channel = channelOf("journal", database.cluster);
    this.#writer = database.connection();
    this.#reader = database.connection();
    this.#keeper = database.connection();
    const durable = database.server.syncs ? "fsync" : "process-crash";
    this.caps = { engine: `postgresql ${database.server.version}`, durable, replicas: 1, recordBytesMax };
  }

  /** Makes the cluster known. */
  async begin(): Promise<void> {
    await this.#writer.query({
      text: "INSERT INTO disco_heads (cluster, seq, hash) VALUES ($1, 0, '') ON CONFLICT DO NOTHING",
      values: [this.#cluster],
    });
  }

  head(): Promise<Head> {
    return this.#headBy(this.#reader);
  }

  async append(expect: number, body: Uint8Array): Promise<Appended> {
    if (body.length > recordBytesMax) {
      const message = `a journal record has ${body.length} bytes, at most ${recordBytesMax} are possible`;
      throw new DiscoError(message, { code: "record-too-big" });
    }
    const head = { seq: expect + 1, hash: hashOf(body) };
    try {
      const values = [this.#cluster, head.seq, head.hash, body, this.#channel];
      const added = await this.#writer.query({ text: append, values, name: "disco-append" });
      if (added.length > 0) return { kind: "committed", ...head };
      const [present, there] = await Promise.all([
        this.#headBy(this.#writer),
        this.#writer.query<{ hash: string }>({
          text: "SELECT hash FROM disco_records WHERE cluster = $1 AND seq = $2",
          values: [this.#cluster, head.seq],
        }),
      ]);
      return there[0]?.hash === head.hash ? { kind: "committed", ...head } : { kind: "conflict", ...present };
    } catch (cause) {
      if (cause instanceof CommError) return { kind: "unknown", cause };
      throw cause;
    }
  }

  async *read(from: number): AsyncGenerator<StoredRecord> {
    const end = (await this.head()).seq;
    let at = from;
    if (at > end) return;
    const chain = await this.#chainFrom(from);
    while (at <= end) {
      const portion = await this.#portion(at);
      if (portion.length === 0) throw missing(at, end);
      for (const record of portion) {
        if (record.seq > end) return;
        chain.check(record);
        yield record;
        at = record.seq + 1;
      }
    }
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    const wake = new Wake();
    signal.addEventListener("abort", wake.call);
    let deaf: (() => void) | null = null;
    let next = from;
    try {
      while (!signal.aborted) {
        try {
          deaf ??= await this.#reader.listen(this.#channel, wake.call);
          for await (const record of this.read(next)) {
            next = record.seq + 1;
            yield record;
            if (signal.aborted) return;
          }
          await wake.wait(lookAgainMs);
        } catch (error) {
          // An outage is waited out; a gap or a broken chain is not.
          if (!(error instanceof CommError) || error.code === "postgres-closed") throw error;
          await new Wake().wait(outagePauseMs);
        }
      }
    } finally {
      signal.removeEventListener("abort", wake.call);
      deaf?.();
    }
  }

  async saveSnapshot(at: Head, body: Uint8Array): Promise<void> {
    await this.#keep(async (transaction) => {
      const values = [this.#cluster, at.seq, at.hash];
      const there = await transaction.query({
        text: "SELECT FROM disco_records WHERE cluster = $1 AND seq = $2 AND hash = $3",
        values,
      });
      if (there.length === 0) {
        throw new DiscoError(`there is no record ${at.seq} with hash ${at.hash} to take a snapshot of`, {
          code: "bad-snapshot",
        });
      }
      // Of a master that was deposed and does not know it: the newer one stays, records may have been trimmed by it.
      if ((await this.#covered(transaction)) > at.seq) return;
      await transaction.query({ text: "DELETE FROM disco_snapshots WHERE cluster = $1", values: [this.#cluster] });
      for (let part = 0; part === 0 || part * snapshotPartBytes < body.length; part++) {
        const bytes = body.subarray(part * snapshotPartBytes, (part + 1) * snapshotPartBytes);
        await transaction.query({
          text: "INSERT INTO disco_snapshots (cluster, seq, hash, part, body) VALUES ($1, $2, $3, $4, $5)",
          values: [...values, part, bytes],
        });
      }
    });
  }

  async snapshot(): Promise<StoredSnapshot | null> {
    const rows = await this.#keeper.transaction(async (transaction) => {
      // All parts of one snapshot, also when it is replaced meanwhile.
      await transaction.query({ text: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY" });
      const parts: RecordRow[] = [];
      for (;;) {
        const [row] = await transaction.query<RecordRow>({
          text: "SELECT seq, hash, body FROM disco_snapshots WHERE cluster = $1 AND part = $2",
          values: [this.#cluster, parts.length],
        });
        if (row === undefined) return parts;
        parts.push(row);
      }
    }, snapshotPatienceMs);
    const [first] = rows;
    if (first === undefined) return null;
    return { seq: Number(first.seq), hash: first.hash, body: Buffer.concat(rows.map(({ body }) => body)) };
  }

  async trim(below: number): Promise<void> {
    for (let more = true; more; ) {
      more = await this.#keep(async (transaction) => {
        const covered = await this.#covered(transaction);
        if (below > covered + 1) {
          throw new DiscoError(`records below ${below} cannot be trimmed: the snapshot covers those up to ${covered}`, {
            code: "bad-trim",
          });
        }
        const [{ last } = { last: null }] = await transaction.query<{ last: string | null }>({
          text: `WITH oldest AS (SELECT seq FROM disco_records WHERE cluster = $1 AND seq < $2 ORDER BY seq LIMIT $3),
              gone AS (DELETE FROM disco_records WHERE cluster = $1 AND seq IN (SELECT seq FROM oldest) RETURNING seq)
            SELECT max(seq) AS last FROM gone`,
          values: [this.#cluster, below, trimRecordsMax],
        });
        return last !== null && Number(last) < below - 1;
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reader.close(), this.#keeper.close()]);
  }

  async #headBy(connection: PostgresConnection): Promise<Head> {
    const [row] = await connection.query<{ seq: string; hash: string }>({
      text: "SELECT seq, hash FROM disco_heads WHERE cluster = $1",
      values: [this.#cluster],
      name: "disco-head",
    });
    return row === undefined ? { seq: 0, hash: "" } : { seq: Number(row.seq), hash: row.hash };
  }

  /** Bound to the record before, if that one or a snapshot of it is there. */
  async #chainFrom(from: number): Promise<Chain> {
    if (from === 1) return new Chain({ seq: 0, hash: "" });
    const [row] = await this.#reader.query<{ hash: string }>({
      text: `SELECT hash FROM disco_records WHERE cluster = $1 AND seq = $2
        UNION ALL SELECT hash FROM disco_snapshots WHERE cluster = $1 AND seq = $2 AND part = 0 LIMIT 1`,
      values: [this.#cluster, from - 1],
      name: "disco-before",
    });
    return new Chain({ seq: from - 1, hash: row?.hash ?? null });
  }

  async #portion(from: number): Promise<StoredRecord[]> {
    const rows = await this.#reader.query<RecordRow>({
      text: `SELECT seq, hash, body FROM (
          SELECT seq, hash, body, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
          FROM (SELECT * FROM disco_records WHERE cluster = $1 AND seq >= $2 ORDER BY seq LIMIT $3) AS next
        ) AS measured WHERE before < $4 ORDER BY seq`,
      values: [this.#cluster, from, portionRecordsMax, portionBytes],
      name: "disco-read",
    });
    return rows.map(({ seq, hash, body }) => ({ seq: Number(seq), hash, body }));
  }

  /** Snapshots and trims of several masters, one after the other. */
  #keep<T>(act: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#keeper.transaction(async (transaction) => {
      const values = [channelOf("snapshots", this.#cluster)];
      await transaction.query({ text: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", values });
      return act(transaction);
    }, snapshotPatienceMs);
  }

  async #covered(transaction: Transaction): Promise<number> {
    const [row] = await transaction.query<{ seq: string }>({
      text: "SELECT seq FROM disco_snapshots WHERE cluster = $1 AND part = 0",
      values: [this.#cluster],
    });
    return Number(row?.seq ?? 0);
  }
}

function missing(at: number, end: number): DiscoError {
  return new DiscoError(`record ${at} of the journal is missing, its head is ${end}`, {
    code: "journal-gap",
    hint: "Records never vanish by themselves: restore the journal from a copy.",
  });
}
