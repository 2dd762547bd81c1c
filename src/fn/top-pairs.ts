/** The n greatest of many pairs, by value, in memory for n. */
import { compareValues } from "../protocol/order.ts";

type Pair = readonly [key: unknown, value: unknown];

/** Greater values first; of equal ones, smaller keys. NaN, which is no amount, comes last. */
function byRank(a: Pair, b: Pair): number {
  const order = Number(Number.isNaN(a[1])) - Number(Number.isNaN(b[1]));
  return order || compareValues(b[1], a[1]) || compareValues(a[0], b[0]);
}

export class TopPairs {
  readonly #n: number;
  /** Never longer than 2n: sorted, and cut to n, when it is full. */
  #pairs: Pair[] = [];
  /** Of n pairs that are known, the last: what comes behind it is out. */
  #bar: Pair | null = null;

  constructor(n: number) {
    this.#n = n;
  }

  add(key: unknown, value: unknown): void {
    const pair: Pair = [key, value];
    if (this.#bar !== null && byRank(pair, this.#bar) > 0) return;
    this.#pairs.push(pair);
    if (this.#pairs.length >= 2 * this.#n) this.#cut();
  }

  /** In their order. */
  finish(): readonly Pair[] {
    this.#cut();
    return this.#pairs;
  }

  #cut(): void {
    this.#pairs = this.#pairs.sort(byRank).slice(0, this.#n);
    this.#bar = this.#pairs.length === this.#n ? (this.#pairs[this.#n - 1] as Pair) : null;
  }
}
