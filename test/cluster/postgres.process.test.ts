/** PostgreSQL is killed again and again while a master appends: what it was told to be committed is there, in order and whole. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { openPostgresJournal } from "../../src/journal/postgres.ts";
import { encodeRecord, hashOf } from "../../src/journal/record.ts";
import { PostgresDatabase } from "../../src/postgres/database.ts";
import { PostgresServer, whyNoPostgres } from "../../src/postgres/server.test-kit.ts";

const rounds = 5;
const roundMs = 1_000;
const options = { skip: whyNoPostgres() ?? false, timeout: 120_000 };

test(
  "what PostgreSQL said to be committed is there after it was killed, and nothing else but what was unknown",
  options,
  async (t) => {
    const server = await PostgresServer.start();
    try {
      const database = await PostgresDatabase.open(server.url, { cluster: "killed", patienceMs: 2_000 });
      const journal = await openPostgresJournal(database);
      const acked = new Map<number, string>();
      let unknown = 0;
      let stop = false;
      const appending = (async () => {
        let head = { seq: 0, hash: "" };
        for (let n = 0; !stop; n++) {
          const events = Array.from({ length: 64 }, (_, i) => ({ kind: "task-done", task: n * 64 + i }));
          const common = { epoch: 1, writer: "test", nonce: `nonce ${n}` };
          const body = encodeRecord({ ...common, seq: head.seq + 1, prevHash: head.hash, events });
          // The same bytes until it is known what became of them, as the ledger does.
          for (;;) {
            const answer = await journal.append(head.seq, body);
            if (answer.kind === "committed") {
              head = { seq: head.seq + 1, hash: hashOf(body) };
              acked.set(head.seq, head.hash);
              break;
            }
            assert.equal(answer.kind, "unknown", "nobody else appends");
            unknown++;
            await delay(20);
          }
        }
      })();
      for (let round = 0; round < rounds; round++) {
        await delay(roundMs);
        await server.kill();
        await server.restart();
      }
      await delay(roundMs);
      stop = true;
      await appending;
      let records = 0;
      for await (const { seq, hash } of journal.read(1)) {
        assert.equal(acked.get(seq), hash, `record ${seq}`);
        records++;
      }
      assert.equal(records, acked.size);
      assert.ok(unknown >= rounds, `it was never killed in the middle: ${unknown}`);
      t.diagnostic(`${rounds} kills, ${records} records of 64 events, ${unknown} answers unknown, 0 lost`);
      await journal.close();
    } finally {
      await server.stop();
    }
  },
);
