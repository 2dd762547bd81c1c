/**
 * One connection to PostgreSQL, made when it is first needed and again after it was lost.
 *
 * PC1. Statements run one after the other, in the order in which they were asked for; a transaction is one of them.
 * PC2. Each has a time to end in. One that does not costs the connection, since nobody knows what it still waits for.
 * PC3. Nothing is sent twice: who is told `postgres-unreachable` does not know whether the statement took effect.
 * PC4. A commit that is answered is on the server's disk: `synchronous_commit` is set whatever the server's default is. A
 *      server in recovery (a standby) is refused each time that the connection is made: it may have been one only since.
 */
import { Socket } from "node:net";
import type { Client, QueryResultRow } from "pg";
import { CommError, DiscoError } from "../errors.ts";
import type { PostgresAddress } from "./address.ts";
import { encryptionFor } from "./encryption.ts";
import { endsConnection, failureOf } from "./failure.ts";

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** Prepared once a connection under this name. */
  readonly name?: string;
}

export interface Transaction {
  query<R extends QueryResultRow>(statement: Statement): Promise<R[]>;
}

/** What was found when the connection was made. */
export interface ServerState {
  /** `fsync` is on: what is committed survives a power cut. */
  readonly syncs: boolean;
  readonly version: string;
}

interface Live {
  readonly client: Client;
  readonly socket: Socket;
}

export const patienceMsByDefault = 10_000;
/** A server gets so long to hang up. */
const farewellMs = 1_000;

const greeting = `
  SELECT set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
    set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),
    set_config('client_min_messages', 'warning', false), set_config('extra_float_digits', '3', false),
    current_setting('fsync') AS fsync, current_setting('server_version') AS version, pg_is_in_recovery() AS standby`;

export class PostgresConnection {
  readonly #address: PostgresAddress;
  readonly #patienceMs: number;
  readonly #channels = new Map<string, Set<() => void>>();
  #live: Live | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #server: ServerState | null = null;
  #closed = false;

  constructor(address: PostgresAddress, patienceMs: number = patienceMsByDefault) {
    this.#address = address;
    this.#patienceMs = patienceMs;
  }

  get shown(): string {
    return this.#address.shown;
  }

  /** As of the last time that the connection was made. */
  get server(): ServerState | null {
    return this.#server;
  }

  /** @throws CommError `postgres-unreachable`; DiscoError `postgres-standby`, `postgres-login` … */
  query<R extends QueryResultRow>(statement: Statement, patienceMs = this.#patienceMs): Promise<R[]> {
    return this.#inTurn("ask", patienceMs, ({ client }) => run<R>(client, statement));
  }

  /** All of it, or nothing. `patienceMs` is for the whole. */
  transaction<T>(act: (transaction: Transaction) => Promise<T>, patienceMs = this.#patienceMs): Promise<T> {
    return this.#inTurn("ask", patienceMs, async ({ client }) => {
      await client.query("BEGIN");
      try {
        const result = await act({ query: (statement) => run(client, statement) });
        await client.query("COMMIT");
        return result;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      }
    });
  }

  /** Calls `wake` when somebody notifies the channel, as long as there is a connection: who must not miss anything asks as well. */
  async listen(channel: string, wake: () => void): Promise<() => void> {
    const wakes = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, wakes.add(wake));
    await this.query({ text: `LISTEN "${channel}"` });
    return () => wakes.delete(wake);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const live = this.#live;
    this.#live = null;
    if (live === null) return;
    // A server that does not answer would never hang up.
    const timer = setTimeout(() => live.socket.destroy(), farewellMs);
    try {
      await live.client.end();
    } finally {
      clearTimeout(timer);
      live.socket.destroy();
    }
  }

  #inTurn<T>(what: string, patienceMs: number, act: (live: Live) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#attempt(what, patienceMs, act));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #attempt<T>(what: string, patienceMs: number, act: (live: Live) => Promise<T>): Promise<T> {
    if (this.#closed) throw new CommError("the connection to PostgreSQL is closed", { code: "postgres-closed" });
    let timer: NodeJS.Timeout | undefined;
    // The connection that is at work: that of an attempt that was given up is cut, also when it is made only then.
    let lateLive: Live | null = null;
    let isLate = false;
    const made = (live: Live): void => {
      lateLive = live;
      if (isLate) live.socket.destroy();
    };
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        lateLive?.socket.destroy();
        reject(new Error(`no answer within ${patienceMs} ms`));
      }, patienceMs);
    });
    try {
      const acted = (async () => {
        const live = this.#live ?? (await this.#connect(made));
        made(live);
        return await act(live);
      })();
      return await Promise.race([acted, late]);
    } catch (error) {
      // The server's answer leaves the connection as it was; with everything else it is in doubt.
      if (endsConnection(error) && !(error instanceof DiscoError)) this.#drop(lateLive);
      throw failureOf(error, what, this.shown);
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(made: (live: Live) => void): Promise<Live> {
    const { host, port, user, database, password } = this.#address;
    const [{ default: pg }, ssl] = await Promise.all([import("pg"), encryptionFor(this.#address, this.#patienceMs)]);
    const socket = new Socket();
    const client = new pg.Client({
      host,
      port,
      ssl,
      keepAlive: true,
      application_name: "disco-mapreduce",
      stream: () => socket,
      ...(user === undefined ? {} : { user }),
      ...(database === undefined ? {} : { database }),
      ...(password === undefined ? {} : { password }),
    });
    const live = { client, socket };
    client.on("error", () => this.#drop(live));
    client.on("end", () => this.#drop(live));
    client.on("notification", ({ channel }) => this.#wake(channel));
    made(live);
    try {
      await client.connect();
      await this.#greet(client);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    if (this.#closed) socket.destroy();
    else this.#live = live;
    // What was published meanwhile was missed.
    for (const channel of this.#channels.keys()) this.#wake(channel);
    return live;
  }

  async #greet(client: Client): Promise<void> {
    interface Found extends QueryResultRow {
      readonly fsync: string;
      readonly version: string;
      readonly standby: boolean;
    }
    const [found] = await run<Found>(client, { text: greeting, values: [String(this.#patienceMs)] });
    if (found === undefined || found.standby) {
      throw new DiscoError(`${this.shown} is a standby: it cannot be written to`, {
        code: "postgres-standby",
        hint: "Give the address of the primary server.",
      });
    }
    this.#server = { syncs: found.fsync === "on", version: found.version };
    for (const channel of this.#channels.keys()) await client.query(`LISTEN "${channel}"`);
  }

  #wake(channel: string): void {
    for (const wake of [...(this.#channels.get(channel) ?? [])]) wake();
  }

  #drop(live: Live | null): void {
    live?.socket.destroy();
    if (this.#live === live) this.#live = null;
  }
}

async function run<R extends QueryResultRow>(client: Client, { text, values, name }: Statement): Promise<R[]> {
  const { rows } = await client.query<R>({
    text,
    ...(values === undefined ? {} : { values: [...values] }),
    ...(name === undefined ? {} : { name }),
  });
  return rows;
}
