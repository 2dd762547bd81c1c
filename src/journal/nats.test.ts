import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type NatsEngine, openNats } from "../nats/connection.ts";
import { NatsServers, skipWithoutNats } from "../nats/server.test-kit.ts";
import { appendSome, journalContract } from "./contract.ts";
import type { StoredRecord } from "./journal.ts";
import { openNatsJournal } from "./nats.ts";
import { encodeRecord } from "./record.ts";

const skip = skipWithoutNats();

describe("a journal on a NATS server", { skip }, () => {
  let servers: NatsServers;
  let clusters = 0;
  before(async () => {
    servers = await NatsServers.start();
  });
  after(() => servers.dispose());

  const connect = (cluster: string): Promise<NatsEngine> =>
    openNats({ url: servers.url, cluster, name: "test", allowOldEngine: true });

  journalContract("NATS", async () => {
    const cluster = `c${++clusters}`;
    const engines = [await connect(cluster)];
    return {
      journal: await openNatsJournal(engines[0] as NatsEngine),
      reopen: async () => {
        await engines[0]?.close();
        const again = await connect(cluster);
        engines.push(again);
        return openNatsJournal(again, { create: false });
      },
      dispose: async () => {
        await Promise.all(engines.map((engine) => engine.close()));
      },
    };
  });

  test("records above the server's limit for a message come back whole, and go when they are trimmed", async () => {
    const engine = await connect("big");
    try {
      const journal = await openNatsJournal(engine);
      const texts = [
        "a".repeat(3_000_000),
        randomBytes(2_000_000).toString("hex"),
        randomBytes(390_000).toString("hex"),
      ];
      for (const text of texts) {
        const head = await journal.head();
        const record = { seq: head.seq + 1, prevHash: head.hash, epoch: 1, writer: "t", nonce: "n", events: [text] };
        assert.equal((await journal.append(head.seq, encodeRecord(record))).kind, "committed");
      }
      const read: StoredRecord[] = [];
      for await (const record of journal.read(1)) read.push(record);
      assert.deepEqual(
        read.map(({ body }) => (JSON.parse(Buffer.from(body).toString()) as { events: string[] }).events[0]),
        texts,
      );
      const snapshot = randomBytes(3_000_000);
      for (let n = 0; n < 3; n++) await journal.saveSnapshot(await journal.head(), snapshot);
      assert.ok(snapshot.equals((await journal.snapshot())?.body ?? new Uint8Array(0)));
      await journal.trim(3);
      assert.equal((await journal.head()).seq, 3);
    } finally {
      await engine.close();
    }
  });

  test("an append that is sent again with the same bytes is found, and is no conflict", async () => {
    const engine = await connect("again");
    try {
      const journal = await openNatsJournal(engine);
      const body = encodeRecord({ seq: 1, prevHash: "", epoch: 1, writer: "t", nonce: "n", events: [] });
      const first = await journal.append(0, body);
      assert.equal(first.kind, "committed");
      assert.deepEqual(await journal.append(0, body), first);
    } finally {
      await engine.close();
    }
  });

  test("a record that a server does not have yet, or not any more, is asked for again before it is called missing", async () => {
    const engine = await connect("stale");
    try {
      const { connection } = engine;
      let stale = 0;
      const request: typeof connection.request = (subject, data, options) => {
        const isAsked = subject.startsWith("$JS.API.STREAM.MSG.GET") && String(data) === '{"seq":2}' && stale-- > 0;
        return connection.request(subject, isAsked ? '{"seq":99}' : data, options);
      };
      const behind = Object.assign(Object.create(connection) as typeof connection, { request });
      const journal = await openNatsJournal({ ...engine, connection: behind });
      await appendSome(journal, 3);
      const read = async (from: number): Promise<number[]> => {
        const seqs: number[] = [];
        for await (const { seq } of journal.read(from)) seqs.push(seq);
        return seqs;
      };
      stale = 2;
      assert.deepEqual(await read(2), [2, 3]);
      // Records that a snapshot covers may be gone: no time is lost with them.
      await journal.saveSnapshot(await journal.head(), new Uint8Array(1));
      stale = Number.POSITIVE_INFINITY;
      const begun = performance.now();
      await assert.rejects(read(2), { code: "journal-gap" });
      assert.ok(performance.now() - begun < 4_000);
    } finally {
      await engine.close();
    }
  });

  test("where no journal is, none is made unless that is wanted", async () => {
    const engine = await connect("absent");
    try {
      await assert.rejects(openNatsJournal(engine, { create: false }), { code: "no-journal" });
    } finally {
      await engine.close();
    }
  });

  test("a server that is too old is refused, with the way to insist", { skip: skip || undefined }, async () => {
    const engine = await connect("version");
    const { version } = engine;
    await engine.close();
    const opening = openNats({ url: servers.url, name: "test" });
    if (version.startsWith("2.9.1"))
      await assert.rejects(opening, { code: "engine-too-old", hint: /--allow-old-engine/ });
    else await (await opening).close();
  });
});
