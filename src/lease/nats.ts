/**
 * Leases in a stream of NATS that keeps the last message of each lease's subject: holder, time, and a number that renewals count.
 *
 * - Whoever changes a lease says which message of the stream was the last one when it looked, so that of two one wins. A change of
 *   another lease in between is a conflict too: it looks again, a few times.
 * - Nothing ends by itself. A lease is free when its message has not changed for its time, by the clock of the one who asks
 *   and since the first time that it saw it. So clocks of servers and masters need not agree, and who has just come
 *   waits for once. (Messages that expire in the stream do so by the servers' clocks, of each replica for itself.)
 */
import type { NatsEngine } from "../nats/connection.ts";
import { isConflict } from "../nats/failures.ts";
import { openStream } from "../nats/open-stream.ts";
import type { NatsStream } from "../nats/stream.ts";
import type { Lease } from "./lease.ts";

/** Conflicts with other leases, one after another. */
const tries = 20;
const leaseName = /^[A-Za-z0-9_-]+$/;

interface Written {
  /** `null`: given up. */
  readonly holder: string | null;
  readonly ttlMs: number;
}

interface Seen extends Written {
  /** Of its message; 0: there is none. */
  readonly seq: number;
}

export async function openNatsLease(engine: NatsEngine): Promise<Lease> {
  const { stream } = await openStream(engine, {
    purpose: "lease",
    subjects: ["lease.*"],
    settings: { max_msgs_per_subject: 1, discard: "old" },
  });
  return new NatsLease(engine, stream);
}

class NatsLease implements Lease {
  readonly #engine: NatsEngine;
  readonly #stream: NatsStream;
  /** When a lease's present message was seen first. */
  readonly #since = new Map<string, { readonly seq: number; readonly atMs: number }>();

  constructor(engine: NatsEngine, stream: NatsStream) {
    this.#engine = engine;
    this.#stream = stream;
  }

  tryAcquire(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#change(name, { holder, ttlMs }, (seen) => this.#isFree(name, seen) || seen.holder === holder);
  }

  renew(name: string, holder: string, ttlMs: number): Promise<boolean> {
    return this.#change(name, { holder, ttlMs }, (seen) => seen.holder === holder);
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#change(name, { holder: null, ttlMs: 0 }, (seen) => seen.holder === holder);
  }

  async holder(name: string): Promise<string | null> {
    const seen = await this.#look(name);
    return this.#isFree(name, seen) ? null : seen.holder;
  }

  async #change(name: string, wanted: Written, allowed: (seen: Seen) => boolean): Promise<boolean> {
    for (let count = 0; count < tries; count++) {
      // The stream's last message before the lease's: a change in between is noticed, whichever it is of.
      // oxlint-disable-next-line no-await-in-loop -- One try after the other.
      const { state } = await this.#stream.info();
      // oxlint-disable-next-line no-await-in-loop -- As above.
      const seen = await this.#look(name);
      if (!allowed(seen)) return false;
      try {
        // oxlint-disable-next-line no-await-in-loop -- As above.
        const seq = await this.#stream.publish(this.#subject(name), Buffer.from(JSON.stringify(wanted)), {
          expect: state.last_seq,
        });
        this.#since.set(name, { seq, atMs: performance.now() });
        return true;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
    return false;
  }

  async #look(name: string): Promise<Seen> {
    const message = await this.#stream.last(this.#subject(name));
    if (message === null) return { seq: 0, holder: null, ttlMs: 0 };
    if (this.#since.get(name)?.seq !== message.seq) {
      this.#since.set(name, { seq: message.seq, atMs: performance.now() });
    }
    return { ...(JSON.parse(Buffer.from(message.data).toString()) as Written), seq: message.seq };
  }

  #isFree(name: string, { holder, ttlMs }: Seen): boolean {
    const since = this.#since.get(name);
    return holder === null || (since !== undefined && performance.now() - since.atMs >= ttlMs);
  }

  #subject(name: string): string {
    if (!leaseName.test(name)) throw new TypeError(`"${name}" cannot be the name of a lease`);
    return `${this.#engine.prefix}lease.${name}`;
  }
}
