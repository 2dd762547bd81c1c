/** A lease as a row of PostgreSQL, with its time by the server's clock: those of the masters do not count. */
import type { PostgresConnection } from "../postgres/connection.ts";
import type { PostgresDatabase } from "../postgres/database.ts";
import type { Lease } from "./lease.ts";

/** Who waits longer for an answer has lost it anyway. */
const patienceMs = 3_000;

export class PostgresLease implements Lease {
  readonly #cluster: string;
  readonly #connection: PostgresConnection;

  constructor(database: PostgresDatabase) {
    this.#cluster = database.cluster;
    this.#connection = database.connection();
  }

  tryAcquire(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#any(
      `INSERT INTO disco_leases AS lease (name, holder, until) VALUES ($1, $2, now() + $3 * interval '1 ms')
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
          WHERE lease.until <= now() OR lease.holder = excluded.holder RETURNING true`,
      [this.#row(name), holder, ttlMs],
    );
  }

  renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#any(
      `UPDATE disco_leases SET until = now() + $3 * interval '1 ms'
        WHERE name = $1 AND holder = $2 AND until > now() RETURNING true`,
      [this.#row(name), holder, ttlMs],
    );
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#any("DELETE FROM disco_leases WHERE name = $1 AND holder = $2 RETURNING true", [
      this.#row(name),
      holder,
    ]);
  }

  async holder(name: string): Promise<string | null> {
    const [row] = await this.#connection.query<{ holder: string }>(
      { text: "SELECT holder FROM disco_leases WHERE name = $1 AND until > now()", values: [this.#row(name)] },
      patienceMs,
    );
    return row?.holder ?? null;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #any(text: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.#connection.query({ text, values }, patienceMs)).length > 0;
  }

  #row(name: string): string {
    return JSON.stringify([this.#cluster, name]);
  }
}
