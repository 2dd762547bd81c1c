import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { parsePostgresUrl } from "../postgres/address.ts";
import { PostgresConnection } from "../postgres/connection.ts";
import { PostgresDatabase } from "../postgres/database.ts";
import { PostgresServer, whyNoPostgres } from "../postgres/server.test-kit.ts";
import { appendSome, journalContract } from "./contract.ts";
import type { StoredRecord } from "./journal.ts";
import { openPostgresJournal, type PostgresJournal } from "./postgres.ts";
import { encodeRecord } from "./record.ts";

const reason = whyNoPostgres();

describe("PostgreSQL", { skip: reason ?? false }, () => {
  let server: PostgresServer;
  let clusters = 0;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server.stop());

  async function fresh(patienceMs?: number): Promise<{ database: PostgresDatabase; journal: PostgresJournal }> {
    const cluster = `cluster "${++clusters}"`;
    const database = await PostgresDatabase.open(server.url, {
      cluster,
      ...(patienceMs === undefined ? {} : { patienceMs }),
    });
    return { database, journal: await openPostgresJournal(database) };
  }

  async function sql(text: string, values: readonly unknown[] = []): Promise<void> {
    const connection = new PostgresConnection(parsePostgresUrl(server.url));
    await connection.query({ text, values });
    await connection.close();
  }

  journalContract("PostgreSQL", async () => {
    const { database, journal } = await fresh();
    let open = journal;
    return {
      journal,
      reopen: async () => {
        await open.close();
        open = await openPostgresJournal(database);
        return open;
      },
      dispose: () => open.close(),
    };
  });

  it("a connection is closed also when the server does not answer any more: paused, or behind a broken cable", async () => {
    const { port, hostname } = new URL(server.url);
    const sockets: Socket[] = [];
    const between = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
      sockets.push(near, far);
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.pipe(far);
      far.pipe(near);
    }).listen(0, "127.0.0.1");
    await once(between, "listening");
    try {
      const url = new URL(server.url);
      url.port = String((between.address() as { port: number }).port);
      const connection = new PostgresConnection(parsePostgresUrl(url.href));
      await connection.query({ text: "SELECT 1" });
      // From now on nothing goes either way, and nobody hangs up.
      for (const socket of sockets) socket.unpipe().pause();
      const begun = performance.now();
      await connection.close();
      assert.ok(performance.now() - begun < 5_000);
      await assert.rejects(connection.query({ text: "SELECT 1" }), { code: "postgres-closed" });
    } finally {
      for (const socket of sockets) socket.destroy();
      between.close();
    }
  });

  it("says that commits are synced, with the server's version", async () => {
    const { journal } = await fresh();
    assert.equal(journal.caps.durable, "fsync");
    assert.match(journal.caps.engine, /^postgresql \d+/);
    await journal.close();
  });

  it("two masters append in turns, and each hears of the other's records", async () => {
    const { database, journal: a } = await fresh();
    const b = await openPostgresJournal(database);
    const stop = new AbortController();
    const seen: number[] = [];
    const { promise: following, resolve } = Promise.withResolvers<void>();
    const heard = (async () => {
      for await (const { seq } of b.follow(1, stop.signal)) {
        if (seen.push(seq) === 1) resolve();
        if (seq === 4) stop.abort();
      }
    })();
    await appendSome(a, 1);
    await following;
    await appendSome(a, 1);
    await appendSome(b, 1);
    await appendSome(a, 1);
    await heard;
    assert.deepEqual(seen, [1, 2, 3, 4]);
    await Promise.all([a.close(), b.close()]);
  });

  it("an append that the server does not get to in time is unknown, and the same bytes asked again are told committed", async () => {
    const { journal } = await fresh(300);
    await appendSome(journal, 1);
    const blocker = new PostgresConnection(parsePostgresUrl(server.url));
    const body = record(2, (await journal.head()).hash);
    const locked = Promise.withResolvers<void>();
    const unlock = Promise.withResolvers<void>();
    const blocking = blocker.transaction(async (transaction) => {
      await transaction.query({ text: "LOCK TABLE disco_heads IN SHARE MODE" });
      locked.resolve();
      await unlock.promise;
    });
    await locked.promise;
    assert.equal((await journal.append(1, body)).kind, "unknown");
    unlock.resolve();
    await blocking;
    assert.equal((await journal.append(1, body)).kind, "committed");
    assert.equal((await journal.append(1, body)).kind, "committed");
    assert.equal((await journal.append(1, record(2, "x", "other"))).kind, "conflict");
    assert.equal((await journal.head()).seq, 2);
    await Promise.all([journal.close(), blocker.close()]);
  });

  it("a connection that the server ends is made again", async () => {
    const { journal } = await fresh();
    await appendSome(journal, 2);
    await sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()",
    );
    const body = record(3, "x");
    const answers = [await journal.append(2, body), await journal.append(2, body)];
    assert.equal(answers.at(-1)?.kind, "committed", JSON.stringify(answers));
    await journal.close();
  });

  it("a record that was trimmed cannot be appended again", async () => {
    const { journal } = await fresh();
    const [first = new Uint8Array()] = await appendSome(journal, 3);
    await journal.saveSnapshot(await journal.head(), Uint8Array.of(1));
    await journal.trim(4);
    assert.deepEqual(await journal.append(0, first), { kind: "conflict", ...(await journal.head()) });
    await journal.close();
  });

  it("an older snapshot does not replace a newer one", async () => {
    const { journal } = await fresh();
    await appendSome(journal, 1);
    const old = await journal.head();
    await appendSome(journal, 1);
    await journal.saveSnapshot(await journal.head(), Uint8Array.of(2));
    await journal.saveSnapshot(old, Uint8Array.of(1));
    assert.equal((await journal.snapshot())?.seq, 2);
    await journal.close();
  });

  it("a snapshot of several parts and records of some megabytes come back byte for byte", async () => {
    const { journal } = await fresh();
    const large = encodeRecord({ ...common, seq: 1, prevHash: "", nonce: "n", events: ["x".repeat(5 * 2 ** 20)] });
    assert.equal((await journal.append(0, large)).kind, "committed");
    await appendSome(journal, 2);
    const snapshot = Buffer.alloc(20 * 2 ** 20, "0123456789abcdef\0");
    await journal.saveSnapshot(await journal.head(), snapshot);
    assert.ok(snapshot.equals((await journal.snapshot())?.body ?? new Uint8Array()));
    const records = await all(journal.read(1));
    assert.deepEqual(
      records.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.ok(Buffer.from(large).equals(records[0]?.body ?? new Uint8Array()));
    await journal.close();
  });

  it("a record that is missing or changed behind the journal's back is named", async () => {
    const { database, journal } = await fresh();
    await appendSome(journal, 4);
    await sql("UPDATE disco_records SET body = set_byte(body, 9, 1) WHERE cluster = $1 AND seq = 3", [
      database.cluster,
    ]);
    await assert.rejects(all(journal.read(1)), { code: "journal-corrupt", message: /record 3 / });
    await sql("DELETE FROM disco_records WHERE cluster = $1 AND seq = 3", [database.cluster]);
    await assert.rejects(all(journal.read(1)), { code: "journal-gap", message: /record 3 / });
    await sql("DELETE FROM disco_records WHERE cluster = $1 AND seq = 4", [database.cluster]);
    await assert.rejects(all(journal.read(3)), { code: "journal-gap", message: /record 3 / });
    await journal.close();
  });

  it("tables of a newer version are refused", async () => {
    await sql("UPDATE disco_layout SET version = 99");
    await assert.rejects(fresh(), { code: "newer-version", message: /version 99/ });
    await sql("UPDATE disco_layout SET version = 1");
  });

  it("masters that start at once make the tables once", async () => {
    await sql("CREATE DATABASE empty");
    const url = server.url.replace("/postgres?", "/empty?");
    await Promise.all([1, 2, 3, 4].map(() => PostgresDatabase.open(url, { cluster: "c" })));
  });

  it("a user who may not make tables, a missing database and a wrong port are told with the remedy", async () => {
    await sql("CREATE ROLE guest LOGIN");
    await sql("CREATE DATABASE foreign_one");
    const guest = server.url.replace("disco@", "guest@").replace("/postgres?", "/foreign_one?");
    await assert.rejects(PostgresDatabase.open(guest, { cluster: "c" }), {
      code: "postgres-not-allowed",
      hint: /OWNER/,
    });
    const nowhere = server.url.replace("/postgres?", "/nowhere?");
    await assert.rejects(PostgresDatabase.open(nowhere, { cluster: "c" }), { code: "postgres-no-database" });
    const closed = server.url.replace(/:\d+\//, ":1/");
    await assert.rejects(PostgresDatabase.open(closed, { cluster: "c" }), {
      code: "postgres-unreachable",
      hint: /firewall/,
    });
  });
});

describe("a PostgreSQL that promises less", { skip: reason ?? false }, () => {
  it("is called one that survives crashes of processes only when fsync is off, is synced to whatever its default is, and is refused as a standby", async () => {
    const server = await PostgresServer.start(["fsync = off", "synchronous_commit = off"]);
    try {
      const database = await PostgresDatabase.open(server.url, { cluster: "c" });
      const journal = await openPostgresJournal(database);
      assert.equal(journal.caps.durable, "process-crash");
      await journal.close();
      const connection = database.connection();
      assert.deepEqual(await connection.query({ text: "SHOW synchronous_commit" }), [{ synchronous_commit: "on" }]);
      await connection.close();
      await server.restartAsStandby();
      await assert.rejects(PostgresDatabase.open(server.url, { cluster: "c" }), { code: "postgres-standby" });
    } finally {
      await server.stop();
    }
  });
});

const common = { epoch: 1, writer: "test" };

function record(seq: number, prevHash: string, nonce = "nonce"): Uint8Array {
  return encodeRecord({ ...common, seq, prevHash, nonce, events: [nonce] });
}

async function all(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const list: StoredRecord[] = [];
  for await (const one of records) list.push(one);
  return list;
}
