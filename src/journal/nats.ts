/**
 * A journal in a replicated stream of NATS JetStream.
 *
 * Record n is message n of the stream: an append publishes with "expected last sequence" n - 1, which the stream's leader compares
 * and which one writer can win. Messages are read by sequence, from the stream's leader; consumers skipped messages after
 * partitions. A record above the server's limit for a message is compressed, and what is too large even so lies in parts in a side
 * stream, written before the record that names them. A snapshot lies there too; its manifest is written last, and
 * the one before is kept until the next.
 *
 * NJ1. A time-out or a lost connection is `unknown`: the message may still arrive. Asked again with the same bytes, `append`
 *      finds them at their place and says `committed`.
 * NJ2. A server that led the stream a moment ago, and was cut off, answers for some seconds of what it had. A record that it does
 *      not have, and no snapshot covers, is asked for again before it is called missing.
 * NJ3. The last record is never trimmed, so that the head needs no other place.
 */
import { setTimeout as delay } from "node:timers/promises";
import { CommError, DiscoError } from "../errors.ts";
import type { NatsEngine } from "../nats/connection.ts";
import { isConflict } from "../nats/failures.ts";
import { type Durability, durabilityOf } from "../nats/monitor.ts";
import { openStream } from "../nats/open-stream.ts";
import type { NatsStream, StoredMessage, StreamState } from "../nats/stream.ts";
import { Wake } from "../wake.ts";
import type { Appended, Caps, Head, Journal, StoredRecord, StoredSnapshot } from "./journal.ts";
import { SideParts } from "./nats-parts.ts";
import { Chain, hashOf } from "./record.ts";

const recordBytesMax = 64 * 2 ** 20;
/** Reads under way at once: a record costs a round trip. */
const readsAhead = 64;
/** How often the head is looked at when nothing wakes a follower. */
const pollMsMax = 500;
const pollMsMin = 5;
const retryMs = 250;
/** A record that should be there is asked for so often, `retryMs` apart: 5 s. */
const looksMax = 20;

export interface NatsJournalOptions {
  /** `false`: where there is no journal, none is made. For clusters whose nodes have data already. Default: `true`. */
  readonly create?: boolean;
  /** Base URLs of the servers' monitoring pages, which say whether records are synced before they are acknowledged. Default: none. */
  readonly monitors?: readonly string[];
}

/** The connection stays its owner's. @throws as `openStream`; DiscoError `no-journal` with `create: false` */
export async function openNatsJournal(engine: NatsEngine, options: NatsJournalOptions = {}): Promise<Journal> {
  const { create = true, monitors = [] } = options;
  try {
    const { stream, state } = await openStream(engine, { purpose: "journal", subjects: ["journal"], create });
    const side = await openStream(engine, { purpose: "parts", subjects: ["parts.>"], create });
    const keepers = keepersOf(engine, [state, side.state]);
    const { durable, notes } = monitors.length === 0 ? untold : await durabilityOf(monitors, keepers);
    const { version } = engine;
    const caps: Caps = { engine: "nats", durable, replicas: state.config.num_replicas, version, notes, recordBytesMax };
    return new NatsJournal(engine, stream, new SideParts(engine, side.stream), caps);
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "no-stream") throw error;
    throw new DiscoError(`the NATS engine at ${engine.shown} has no journal of cluster ${engine.cluster}`, {
      code: "no-journal",
      hint: "Check the address and the cluster's name; if the engine's data are gone, restore them before a master starts.",
      cause: error,
    });
  }
}

/** Servers acknowledge before they sync, unless they are told otherwise, which a client is not told. */
const untold: Durability = { durable: "process-crash", notes: [] };

/** Names of all servers that keep one of the streams; `null`: it is not known of each copy where it is. */
function keepersOf(engine: NatsEngine, states: readonly StreamState[]): string[] | null {
  const names = new Set<string>();
  for (const { cluster, config } of states) {
    const own = [cluster?.leader, ...(cluster?.replicas ?? []).map(({ name }) => name)].filter(
      (name) => name !== undefined,
    );
    // A server that is alone does not speak of a cluster.
    const all = cluster === undefined ? [engine.connection.info?.server_name ?? ""] : own;
    if (all.length < config.num_replicas || all.includes("")) return null;
    for (const name of all) names.add(name);
  }
  return [...names];
}

class NatsJournal implements Journal {
  readonly caps: Caps;
  readonly #engine: NatsEngine;
  readonly #stream: NatsStream;
  readonly #side: SideParts;
  readonly #subject: string;

  constructor(engine: NatsEngine, stream: NatsStream, side: SideParts, caps: Caps) {
    this.#engine = engine;
    this.#stream = stream;
    this.#side = side;
    this.#subject = `${engine.prefix}journal`;
    this.caps = caps;
  }

  async head(): Promise<Head> {
    const last = await this.#stream.last(this.#subject);
    if (last !== null) return { seq: last.seq, hash: hashOf(await this.#body(last)) };
    const snapshot = await this.#side.snapshotHead();
    if (snapshot === null) return { seq: 0, hash: "" };
    throw gap(snapshot.seq, "a snapshot of it is there");
  }

  async append(expect: number, body: Uint8Array): Promise<Appended> {
    if (body.length > recordBytesMax) {
      throw new DiscoError(`a journal record has ${body.length} bytes, at most ${recordBytesMax} are possible`, {
        code: "record-too-big",
      });
    }
    try {
      const { data, form } = await this.#side.packed(`record.${expect + 1}`, body, this.#stream.payloadBytesMax);
      const seq = await this.#stream.publish(this.#subject, data, { expect, ...(form === "" ? {} : { form }) });
      return { kind: "committed", seq, hash: hashOf(body) };
    } catch (error) {
      if (isConflict(error)) return this.#conflict(expect, body);
      if (error instanceof CommError) return { kind: "unknown", cause: error };
      throw error;
    }
  }

  async *read(from: number): AsyncGenerator<StoredRecord> {
    const end = (await this.head()).seq;
    yield* this.#range(from, end, await this.#chain(from));
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    const wake = new Wake();
    let waitMs = pollMsMin;
    // What is heard may be an append that loses: it is a reason to look, no more.
    const wakeUp = this.#engine.connection.subscribe(this.#subject, {
      callback: () => {
        waitMs = pollMsMin;
        wake.call();
      },
    });
    signal.addEventListener("abort", wake.call);
    try {
      let next = from;
      let chain: Chain | null = null;
      while (!signal.aborted) {
        try {
          chain ??= await this.#chain(next);
          const end = (await this.#stream.last(this.#subject))?.seq ?? 0;
          if (end >= next) waitMs = pollMsMin;
          for await (const record of this.#range(next, end, chain)) {
            next = record.seq + 1;
            yield record;
            if (signal.aborted) return;
          }
        } catch (error) {
          if (!(error instanceof CommError)) throw error;
          waitMs = retryMs;
          // What was read ahead of the outage is checked anew.
          chain = null;
        }
        await wake.wait(waitMs);
        waitMs = Math.min(waitMs * 2, pollMsMax);
      }
    } finally {
      signal.removeEventListener("abort", wake.call);
      wakeUp.unsubscribe();
    }
  }

  async saveSnapshot(at: Head, body: Uint8Array): Promise<void> {
    const message = at.seq > 0 ? await this.#stream.get(at.seq) : null;
    if (message === null || hashOf(await this.#body(message)) !== at.hash) {
      throw new DiscoError(`there is no record ${at.seq} with hash ${at.hash} to take a snapshot of`, {
        code: "bad-snapshot",
      });
    }
    await this.#side.saveSnapshot(at, body);
  }

  async snapshot(): Promise<StoredSnapshot | null> {
    const snapshot = await this.#side.snapshot();
    if (snapshot === null) return null;
    const message = await this.#stream.get(snapshot.seq);
    if (message !== null && hashOf(await this.#body(message)) !== snapshot.hash) {
      throw new DiscoError(`the snapshot at ${snapshot.seq} is of another journal`, { code: "bad-snapshot" });
    }
    return snapshot;
  }

  async trim(below: number): Promise<void> {
    const covered = (await this.#side.snapshotHead())?.seq ?? 0;
    if (below > covered + 1) {
      throw new DiscoError(`records below ${below} cannot be trimmed: the snapshot covers those up to ${covered}`, {
        code: "bad-trim",
      });
    }
    const keptFrom = Math.min(below, (await this.head()).seq);
    // 1 and less would be taken for "everything".
    if (keptFrom <= 1) return;
    await this.#stream.purgeBelow(keptFrom);
    await this.#side.forgetRecords(keptFrom);
  }

  async close(): Promise<void> {}

  async #conflict(expect: number, body: Uint8Array): Promise<Appended> {
    try {
      const there = await this.#stream.get(expect + 1);
      const hash = hashOf(body);
      if (there !== null && hashOf(await this.#body(there)) === hash)
        return { kind: "committed", seq: there.seq, hash };
      return { kind: "conflict", ...(await this.head()) };
    } catch (error) {
      if (error instanceof CommError) return { kind: "unknown", cause: error };
      throw error;
    }
  }

  /** Where the chain is known before record `from`. */
  async #chain(from: number): Promise<Chain> {
    if (from === 1) return new Chain({ seq: 0, hash: "" });
    const before = await this.#stream.get(from - 1);
    if (before !== null) return new Chain({ seq: from - 1, hash: hashOf(await this.#body(before)) });
    const snapshot = await this.#side.snapshotHead();
    return new Chain({ seq: from - 1, hash: snapshot?.seq === from - 1 ? snapshot.hash : null });
  }

  async *#range(from: number, end: number, chain: Chain): AsyncGenerator<StoredRecord> {
    const reads: Promise<StoredRecord>[] = [];
    let ahead = from;
    for (let seq = from; seq <= end; seq++) {
      for (; ahead <= end && reads.length < readsAhead; ahead++) {
        const read = this.#record(ahead, end);
        // It is awaited later, or not at all after an error of one before.
        read.catch(() => undefined);
        reads.push(read);
      }
      const record = await (reads.shift() as Promise<StoredRecord>);
      chain.check(record);
      yield record;
    }
  }

  async #record(seq: number, end: number): Promise<StoredRecord> {
    for (let looks = 1; ; looks++) {
      const message = await this.#stream.get(seq);
      if (message !== null) {
        const body = await this.#body(message);
        return { seq, hash: hashOf(body), body };
      }
      const covered = (await this.#side.snapshotHead())?.seq ?? 0;
      if (seq <= covered || looks === looksMax) throw gap(seq, `its head is ${end}`);
      await delay(retryMs);
    }
  }

  #body(message: StoredMessage): Promise<Uint8Array> {
    return this.#side.unpacked(message);
  }
}

function gap(seq: number, evidence: string): DiscoError {
  return new DiscoError(`record ${seq} of the journal is missing, ${evidence}`, {
    code: "journal-gap",
    hint: "Records never vanish by themselves: restore the journal from a copy.",
  });
}
