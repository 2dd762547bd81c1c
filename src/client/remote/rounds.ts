/**
 * Which of several masters is asked. One is, by all questions; whoever gets no answer there goes on with the next.
 *
 * R1. A master that left a question unanswered is not asked that question again before all others were (a round), unless
 *     other questions have moved there meanwhile.
 * R2. Questions that fail together move on together: one master, left by many at once, is left by one step.
 * R3. Within a round nobody waits; between rounds the delays of `retries.ts` hold.
 */

/** The masters that one question has asked in vain, and why; of those that were asked again the last reason counts. */
export class Round {
  readonly reasons = new Map<string, string>();
  readonly #asked = new Set<string>();

  /** It was answered: what follows is another round. */
  reset(): void {
    this.#asked.clear();
    this.reasons.clear();
  }

  failed(master: string, reason: string): void {
    this.#asked.add(master);
    this.reasons.set(master, reason);
  }

  has(master: string): boolean {
    return this.#asked.has(master);
  }

  /** The others have had their turn. */
  begin(): void {
    this.#asked.clear();
  }
}

export class Masters {
  #urls: readonly string[];
  #current: string;

  constructor(urls: readonly [string, ...string[]]) {
    this.#urls = urls;
    this.#current = urls[0];
  }

  get current(): string {
    return this.#current;
  }

  get several(): boolean {
    return this.#urls.length > 1;
  }

  /** The one master is at another address by now. */
  replace(url: string): void {
    this.#urls = [url];
    this.#current = url;
  }

  /**
   * Goes on from `failed`, where it still is the current one. `true`: there is a master that this round has not asked, so that nobody
   * need wait.
   */
  leave(failed: string, round: Round): boolean {
    const at = this.#urls.indexOf(failed);
    if (this.#current !== failed) {
      // Another question has moved on already.
      if (!round.has(this.#current)) return true;
    }
    const ring = [...this.#urls.slice(at + 1), ...this.#urls.slice(0, at + 1)];
    const unasked = ring.find((url) => !round.has(url));
    if (unasked === undefined) {
      round.begin();
      this.#current = ring[0] ?? failed;
      return false;
    }
    this.#current = unasked;
    return true;
  }
}
