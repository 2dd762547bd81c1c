/**
 * Waiting for the ends of many jobs over few connections. Each who waits for one job joins the list of a long poll that covers
 * many: a thousand waits are one or two connections, and the master answers as soon as one of the jobs ends.
 *
 * W1. Who waits hears of the end as soon as the master tells it, and of the state when his own time is up. That he asks for
 *     then, together with all others whose time is up: an answer that is a guess is none.
 * W2. There are at most `pollsMax` polls. One more, and those there are become one.
 * W3. A poll that nobody waits for is ended.
 */
import { resultNamesMax } from "../../protocol/api/jobs.ts";
import type { JobResult } from "../master-api.ts";

/** One poll serves those who came before it was asked; a few more serve those who came later. */
const pollsMax = 4;
/** A wait is often followed by the next one for the same job: the poll stays so long. */
const lingerMs = 200;
/** Proxies cut connections that are silent for a minute. */
const pollMs = 30_000;
/** A long list is not sent again for each of a thousand jobs that end one after the other. */
const pauseMsMax = 50;
const pauseMsPerName = 1 / 20;

/** One question: held for up to `timeoutMs`, 0 is not at all. */
export type AskResults = (names: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<JobResult[]>;

interface Waiter {
  readonly name: string;
  readonly settle: (result: JobResult) => void;
  readonly fail: (error: unknown) => void;
}

interface Poll {
  readonly names: readonly string[];
  readonly stop: AbortController;
}

export class EndWatch {
  readonly #ask: AskResults;
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #polls = new Set<Poll>();
  #due = new Set<Waiter>();
  #isAskingDue = false;
  #isScheduled = false;
  #linger: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(ask: AskResults) {
    this.#ask = ask;
  }

  /** The state of a job when it is not active any more, or when `timeoutMs` is over. */
  async wait(name: string, timeoutMs: number, signal?: AbortSignal): Promise<JobResult> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<JobResult>();
    const waiter: Waiter = { name, settle: resolve, fail: reject };
    const those = this.#waiters.get(name);
    if (those === undefined) this.#waiters.set(name, new Set([waiter]));
    else those.add(waiter);
    const timer = setTimeout(() => this.#isDue(waiter), timeoutMs);
    const abort = (): void => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    this.#schedule();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#leave(waiter);
    }
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#closing.abort();
    for (const { stop } of this.#polls) stop.abort();
  }

  /** Those who come in one turn share a poll. */
  #schedule(afterMs = 0): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const cover = (): void => {
      this.#isScheduled = false;
      this.#cover();
    };
    if (afterMs < 1) setImmediate(cover);
    else setTimeout(cover, afterMs);
  }

  /** Has a poll for every name that somebody waits for. */
  #cover(): void {
    const covered = new Set([...this.#polls].flatMap(({ names }) => [...names]));
    let missing = [...this.#waiters.keys()].filter((name) => !covered.has(name));
    if (missing.length === 0) return;
    if (this.#polls.size >= pollsMax) {
      for (const poll of this.#polls) this.#end(poll);
      missing = [...this.#waiters.keys()];
    }
    for (let i = 0; i < missing.length; i += resultNamesMax) void this.#poll(missing.slice(i, i + resultNamesMax));
  }

  async #poll(names: readonly string[]): Promise<void> {
    const poll: Poll = { names, stop: new AbortController() };
    this.#polls.add(poll);
    try {
      const results = await this.#ask(names, pollMs, poll.stop.signal);
      if (!this.#polls.delete(poll)) return;
      for (const result of results) this.#tell(result);
    } catch (error) {
      if (!this.#polls.delete(poll)) return;
      for (const name of names) for (const waiter of this.#waiters.get(name) ?? []) waiter.fail(error);
    }
    // Those who were told have left by then; for the others there has to be another poll.
    this.#schedule(Math.min(pauseMsMax, names.length * pauseMsPerName));
  }

  #end(poll: Poll): void {
    this.#polls.delete(poll);
    poll.stop.abort();
  }

  /** Somebody's time is up: now the state counts, whatever it is. */
  #isDue(waiter: Waiter): void {
    this.#due.add(waiter);
    if (!this.#isAskingDue) void this.#askDue();
  }

  async #askDue(): Promise<void> {
    this.#isAskingDue = true;
    while (this.#due.size > 0) {
      const waiters = [...this.#due].slice(0, resultNamesMax);
      for (const waiter of waiters) this.#due.delete(waiter);
      try {
        const names = [...new Set(waiters.map(({ name }) => name))];
        const results = new Map((await this.#ask(names, 0, this.#closing.signal)).map((one) => [one.name, one]));
        for (const waiter of waiters) waiter.settle(results.get(waiter.name) as JobResult);
        for (const result of results.values()) this.#tell(result);
      } catch (error) {
        for (const waiter of waiters) waiter.fail(error);
      }
    }
    this.#isAskingDue = false;
  }

  /** The end of a job concerns all who wait for it. */
  #tell(result: JobResult): void {
    if (result.status === "active") return;
    for (const waiter of this.#waiters.get(result.name) ?? []) waiter.settle(result);
  }

  #leave(waiter: Waiter): void {
    const those = this.#waiters.get(waiter.name);
    those?.delete(waiter);
    if (those?.size === 0) this.#waiters.delete(waiter.name);
    if (this.#waiters.size > 0 || this.#polls.size === 0) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      if (this.#waiters.size === 0) for (const poll of this.#polls) this.#end(poll);
    }, lingerMs).unref();
  }
}
