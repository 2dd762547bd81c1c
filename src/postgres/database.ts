/** A PostgreSQL that is reached, with the tables in it: where journal, lease and lines get their connections. */
import { parsePostgresUrl } from "./address.ts";
import { PostgresConnection, patienceMsByDefault, type ServerState } from "./connection.ts";
import { ensureLayout } from "./layout.ts";

export interface PostgresOptions {
  /** Of this cluster, among those that share the database. */
  readonly cluster: string;
  /** A statement that takes longer is given up. */
  readonly patienceMs?: number;
}

export class PostgresDatabase {
  readonly cluster: string;
  /** As it was found: fsync or not, its version. */
  readonly server: ServerState;
  /** The address without secrets. */
  readonly shown: string;
  readonly #open: () => PostgresConnection;

  private constructor(
    cluster: string,
    { server, shown, open }: { server: ServerState; shown: string; open: () => PostgresConnection },
  ) {
    this.cluster = cluster;
    this.server = server;
    this.shown = shown;
    this.#open = open;
  }

  /**
   * Looks whether it is one that can be used, and makes the tables where there are none.
   * @throws DiscoError `bad-postgres-url`, `postgres-standby`, `postgres-login`, `newer-version` …; CommError `postgres-unreachable`
   */
  static async open(
    url: string,
    { cluster, patienceMs = patienceMsByDefault }: PostgresOptions,
  ): Promise<PostgresDatabase> {
    const address = parsePostgresUrl(url);
    const open = (): PostgresConnection => new PostgresConnection(address, patienceMs);
    const connection = open();
    try {
      await ensureLayout(connection);
      const server = connection.server ?? { syncs: false, version: "" };
      return new PostgresDatabase(cluster, { server, shown: address.shown, open });
    } finally {
      await connection.close();
    }
  }

  /** A connection of its own, made when it is needed. Who asked for it closes it. */
  connection(): PostgresConnection {
    return this.#open();
  }
}
