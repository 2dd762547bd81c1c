/**
 * What every journal has to do (JR1-JR4), whatever is below it. An implementation's test calls `journalContract` with a
 * factory; `reopen` opens what `open` made again, as another process would after the first one has ended.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DiscoError } from "../errors.ts";
import type { Head, Journal, StoredRecord } from "./journal.ts";
import { decodeRecord, encodeRecord, hashOf } from "./record.ts";

export interface JournalUnderTest {
  readonly journal: Journal;
  /** Closes the journal and opens it again; `null` for journals that do not last. */
  readonly reopen: (() => Promise<Journal>) | null;
  readonly dispose: () => Promise<void>;
}

export function journalContract(name: string, open: () => Promise<JournalUnderTest>): void {
  const scenario = (title: string, act: (under: JournalUnderTest) => Promise<void>): void => {
    it(title, async () => {
      const under = await open();
      try {
        await act(under);
      } finally {
        await under.dispose();
      }
    });
  };

  describe(`${name} is a journal`, () => {
    scenario("a new journal is empty", async ({ journal }) => {
      assert.deepEqual(await journal.head(), { seq: 0, hash: "" });
      assert.deepEqual(await all(journal.read(1)), []);
      assert.equal(await journal.snapshot(), null);
    });

    scenario("records come back in order, byte for byte", async ({ journal }) => {
      const bodies = await appendSome(journal, 5);
      assert.deepEqual(
        (await all(journal.read(1))).map(({ body }) => [...body]),
        bodies.map((body) => [...body]),
      );
      assert.deepEqual(
        (await all(journal.read(4))).map(({ seq }) => seq),
        [4, 5],
      );
      assert.deepEqual(await all(journal.read(6)), []);
    });

    scenario("an append commits only at the head", async ({ journal }) => {
      await appendSome(journal, 2);
      const head = await journal.head();
      for (const wrong of [0, 1, 3])
        assert.deepEqual(await journal.append(wrong, body(head, "late")), { kind: "conflict", ...head });
      assert.deepEqual(await journal.head(), head);
    });

    scenario("of many appends at one place one commits", async ({ journal }) => {
      for (let seq = 0; seq < 20; seq++) {
        const head = await journal.head();
        const answers = await Promise.all([1, 2, 3, 4].map((n) => journal.append(seq, body(head, `writer ${n}`))));
        assert.equal(answers.filter(({ kind }) => kind === "committed").length, 1);
        assert.equal(answers.filter(({ kind }) => kind === "conflict").length, 3);
      }
      assert.equal((await all(journal.read(1))).length, 20);
    });

    scenario("a record's hash is that of its bytes, and names it as the one before the next", async ({ journal }) => {
      await appendSome(journal, 3);
      let before = "";
      for (const { seq, hash, body: bytes } of await all(journal.read(1))) {
        assert.equal(hash, hashOf(bytes));
        assert.equal(decodeRecord(seq, bytes).prevHash, before);
        before = hash;
      }
    });

    scenario("a record that does not follow the one before is found by whoever reads", async ({ journal }) => {
      await appendSome(journal, 2);
      await journal.append(2, body({ seq: 2, hash: "of another history" }, "x"));
      await assert.rejects(
        all(journal.read(1)),
        (error: DiscoError) => error.code === "journal-corrupt" && /record 3 /.test(error.message),
      );
    });

    scenario("a follower gets what is there and what comes, until it stops", async ({ journal }) => {
      await appendSome(journal, 2);
      const stop = new AbortController();
      const seen: number[] = [];
      const following = (async () => {
        for await (const { seq } of journal.follow(1, stop.signal)) {
          seen.push(seq);
          if (seq === 2) await appendSome(journal, 2);
          if (seq === 4) stop.abort();
        }
      })();
      await following;
      assert.deepEqual(seen, [1, 2, 3, 4]);
    });

    scenario("a snapshot is of a record that is there, and the newest replaces the others", async ({ journal }) => {
      await appendSome(journal, 3);
      const head = await journal.head();
      await assert.rejects(journal.saveSnapshot({ seq: 2, hash: head.hash }, new Uint8Array(1)), {
        code: "bad-snapshot",
      });
      await journal.saveSnapshot(head, Uint8Array.of(1));
      await journal.saveSnapshot(head, Uint8Array.of(2, 3));
      const snapshot = await journal.snapshot();
      assert.deepEqual([snapshot?.seq, snapshot?.hash, [...(snapshot?.body ?? [])]], [3, head.hash, [2, 3]]);
    });

    scenario("only what a snapshot covers is trimmed, and appending goes on where it was", async ({ journal }) => {
      await appendSome(journal, 4);
      await assert.rejects(journal.trim(2), { code: "bad-trim" });
      const head = await journal.head();
      await journal.saveSnapshot(head, new Uint8Array(1));
      await assert.rejects(journal.trim(6), { code: "bad-trim" });
      await journal.trim(5);
      assert.deepEqual(await journal.head(), head);
      await appendSome(journal, 2);
      assert.deepEqual(
        (await all(journal.read(5))).map(({ seq }) => seq),
        [5, 6],
      );
      await assert.rejects(all(journal.read(3)), { code: "journal-gap" });
    });

    scenario("a record that is too big is refused", async ({ journal }) => {
      const big = new Uint8Array(journal.caps.recordBytesMax + 1);
      await assert.rejects(journal.append(0, big), { code: "record-too-big" });
      assert.equal((await journal.head()).seq, 0);
    });

    scenario("records and snapshot are there after the journal is opened again", async ({ journal, reopen }) => {
      if (reopen === null) return;
      await appendSome(journal, 3);
      await journal.saveSnapshot(await journal.head(), Uint8Array.of(7));
      await appendSome(journal, 1);
      const [head, records] = [await journal.head(), await all(journal.read(1))];
      const again = await reopen();
      assert.deepEqual(await again.head(), head);
      assert.deepEqual(
        (await all(again.read(1))).map(({ hash }) => hash),
        records.map(({ hash }) => hash),
      );
      assert.deepEqual([...((await again.snapshot())?.body ?? [])], [7]);
      await appendSome(again, 1);
      assert.equal((await again.head()).seq, 5);
    });
  });
}

/** Appends `n` records at the head and returns their bytes. */
export async function appendSome(journal: Journal, n: number): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for (let i = 0; i < n; i++) {
    const head = await journal.head();
    const bytes = body(head, `event ${head.seq + 1}`);
    assert.equal((await journal.append(head.seq, bytes)).kind, "committed");
    bodies.push(bytes);
  }
  return bodies;
}

function body(head: Head, event: string): Uint8Array {
  return encodeRecord({
    seq: head.seq + 1,
    prevHash: head.hash,
    epoch: 1,
    writer: "test",
    nonce: event,
    events: [event],
  });
}

async function all(records: AsyncIterable<StoredRecord>): Promise<StoredRecord[]> {
  const list: StoredRecord[] = [];
  for await (const record of records) list.push(record);
  return list;
}
