/**
 * The journal on three NATS servers that are killed (faults 31, 33, 35, 37): what was acknowledged is there, in one chain, and a full
 * store is an error that says so.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Journal } from "../../src/journal/journal.ts";
import { openNatsJournal } from "../../src/journal/nats.ts";
import { encodeRecord, hashOf } from "../../src/journal/record.ts";
import { type NatsEngine, openNats } from "../../src/nats/connection.ts";
import { NatsServers, skipWithoutNats } from "../../src/nats/server.test-kit.ts";
import { NatsStream } from "../../src/nats/stream.ts";

const recoveryMsMax = 60_000;
const retryMs = 50;

describe("the journal on three NATS servers", { skip: skipWithoutNats() }, () => {
  it("loses nothing that it acknowledged when the stream's leader is killed", { timeout: 180_000 }, async (context) => {
    await onThree(async (servers, engine, journal) => {
      const writer = new Writer(journal);
      await writer.write(200);
      const { cluster } = await new NatsStream(engine, "DJ_disco_journal").info();
      const leader = servers.indexOf(cluster?.leader ?? "");
      const writing = writer.write(200);
      await servers.kill(leader);
      await writing;
      context.diagnostic(`longest time between two appends: ${Math.round(writer.longestMs)} ms`);
      await servers.startOne(leader);
      await writer.check();
    });
  });

  it("loses nothing that it acknowledged when all servers are killed and started again", {
    timeout: 180_000,
  }, async () => {
    await onThree(async (servers, _, journal) => {
      const writer = new Writer(journal);
      await writer.write(200);
      const writing = writer.write(200);
      await servers.killAll();
      await servers.startAll();
      await writing;
      await writer.check();
    });
  });
});

describe("the journal on a NATS server whose store is full", { skip: skipWithoutNats() }, () => {
  it("says that there is no room, and keeps what it has", { timeout: 60_000 }, async () => {
    const servers = await NatsServers.start({ storeBytesMax: 4 * 2 ** 20 });
    const engine = await openNats({ url: servers.url, name: "master", allowOldEngine: true });
    try {
      const journal = await openNatsJournal(engine);
      let seq = 0;
      const fill = async (): Promise<void> => {
        for (; seq < 100; seq++) {
          const { hash } = await journal.head();
          assert.equal(
            (await journal.append(seq, record(seq, hash, randomBytes(100_000).toString("hex")))).kind,
            "committed",
          );
        }
      };
      await assert.rejects(fill(), { code: "disk-full", hint: /max_file_store/ });
      assert.ok(seq > 0 && seq < 100);
      assert.equal((await journal.head()).seq, seq);
      let read = 0;
      for await (const { seq: at } of journal.read(1)) read = at;
      assert.equal(read, seq);
    } finally {
      await engine.close();
      await servers.dispose();
    }
  });
});

async function onThree(
  act: (servers: NatsServers, engine: NatsEngine, journal: Journal) => Promise<void>,
): Promise<void> {
  const servers = await NatsServers.start({ count: 3 });
  const engine = await openNats({ url: servers.url, name: "master", allowOldEngine: true });
  try {
    const journal = await openNatsJournal(engine);
    assert.equal(journal.caps.replicas, 3);
    await act(servers, engine, journal);
  } finally {
    await engine.close();
    await servers.dispose();
  }
}

/** Appends as a master does: what is unknown is sent again, with the same bytes. */
class Writer {
  readonly #journal: Journal;
  readonly #acknowledged: string[] = [];
  longestMs = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  async write(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#one();
  }

  async check(): Promise<void> {
    const read: string[] = [];
    for await (const { hash } of this.#journal.read(1)) read.push(hash);
    assert.deepEqual(read, this.#acknowledged);
  }

  async #one(): Promise<void> {
    const seq = this.#acknowledged.length;
    const body = record(seq, this.#acknowledged.at(-1) ?? "", `event ${seq}`);
    const beganMs = performance.now();
    for (;;) {
      const answer = await this.#journal.append(seq, body);
      this.longestMs = Math.max(this.longestMs, performance.now() - beganMs);
      assert.notEqual(answer.kind, "conflict");
      if (answer.kind === "committed") {
        this.#acknowledged.push(answer.hash);
        assert.equal(answer.hash, hashOf(body));
        return;
      }
      assert.ok(performance.now() - beganMs < recoveryMsMax, "the servers do not come back");
      await delay(retryMs);
    }
  }
}

function record(seq: number, prevHash: string, event: string): Uint8Array {
  return encodeRecord({ seq: seq + 1, prevHash, epoch: 1, writer: "test", nonce: `${seq}`, events: [event] });
}
