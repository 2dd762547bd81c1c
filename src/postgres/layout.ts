/**
 * The tables, made once a database; several clusters may share them. Rights to make tables are needed for the first start only.
 *
 * `disco_heads` has a row a cluster, the last record's place. The row is what makes an append conditional in whatever order statements
 * get to run: a statement that was stalled looks at it again. The primary key of the records alone would let a record in again
 * that was trimmed meanwhile.
 */
import { DiscoError } from "../errors.ts";
import type { PostgresConnection } from "./connection.ts";

const layoutVersion = 1;
/** For `pg_advisory_xact_lock`: masters that start at once make the tables one after the other. */
const layoutLock = 0x64_69_73_63;

const tables = `
  CREATE TABLE disco_heads (cluster text PRIMARY KEY, seq bigint NOT NULL, hash text NOT NULL) WITH (fillfactor = 10);
  CREATE TABLE disco_records (cluster text, seq bigint, hash text NOT NULL, body bytea NOT NULL, PRIMARY KEY (cluster, seq));
  CREATE TABLE disco_snapshots (cluster text, part integer, seq bigint NOT NULL, hash text NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (cluster, part));
  CREATE TABLE disco_leases (name text PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
  CREATE TABLE disco_lines (cluster text, id bigint GENERATED ALWAYS AS IDENTITY, line text NOT NULL, PRIMARY KEY (cluster, id));
  CREATE TABLE disco_layout (version integer NOT NULL);
  INSERT INTO disco_layout VALUES (${layoutVersion})`;

/** @throws DiscoError `newer-version`, `postgres-not-allowed` …; CommError `postgres-unreachable` */
export async function ensureLayout(connection: PostgresConnection): Promise<void> {
  await connection.transaction(async (transaction) => {
    await transaction.query({ text: `SELECT pg_advisory_xact_lock(${layoutLock})` });
    const [{ there } = { there: false }] = await transaction.query<{ there: boolean }>({
      text: "SELECT to_regclass('disco_layout') IS NOT NULL AS there",
    });
    if (!there) {
      for (const text of tables.split(";")) await transaction.query({ text });
      return;
    }
    const [{ version } = { version: 0 }] = await transaction.query<{ version: number }>({
      text: "SELECT version FROM disco_layout",
    });
    if (version > layoutVersion) {
      throw new DiscoError(
        `the tables at ${connection.shown} have version ${version}, this software knows up to ${layoutVersion}`,
        {
          code: "newer-version",
          hint: "Use the newer release of disco-mapreduce that made them, or another database.",
        },
      );
    }
  });
}
