/**
 * Limits the lines that tasks add to a job's event log: a token bucket a task. What comes too fast is counted and dropped, and
 * the count becomes a line. (Disco kills a job that prints too fast; nobody wants that.) The system's own lines are exempt.
 */

/** A task may say so much at once … */
const burst = 500;
/** … and so much in the long run. */
const perSecond = 100;

interface Bucket {
  tokens: number;
  at: number;
  dropped: number;
}

export class MessageGate {
  readonly #buckets = new Map<string, Bucket>();

  /** `pass`: write it, after the line about `dropped` ones if that is not 0. `now`: milliseconds. */
  admit(task: string, now: number): { pass: boolean; dropped: number } {
    let bucket = this.#buckets.get(task);
    if (bucket === undefined) this.#buckets.set(task, (bucket = { tokens: burst, at: now, dropped: 0 }));
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) {
      bucket.dropped++;
      return { pass: false, dropped: 0 };
    }
    bucket.tokens--;
    const { dropped } = bucket;
    bucket.dropped = 0;
    return { pass: true, dropped };
  }

  /** Forgets the task, and says how many of its lines were dropped and not told yet. */
  end(task: string): number {
    const dropped = this.#buckets.get(task)?.dropped ?? 0;
    this.#buckets.delete(task);
    return dropped;
  }
}
