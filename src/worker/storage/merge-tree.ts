/**
 * Merges k sorted sources into one, stable: of equal keys, those of the earlier source come first.
 *
 * A loser tree: an inner node holds the loser of its match, the winner goes on; when the overall winner moves to its next
 * record, only the matches on its way to the root are played again: log2(k) comparisons of doubles (`keyPrefix`), and of
 * whole keys where these tie.
 */
import { compareValues } from "../../protocol/order.ts";
import { keyPrefix } from "../../protocol/order-prefix.ts";
import type { Batch, BatchSource } from "./batch.ts";

/** Records of a merged batch, at most. */
const batchRecords = 2048;
/** A batch ends where more than this was decoded for it: records may be of a megabyte each. */
const batchBytes = 1024 * 1024;

/** A sorted source of a merge: batches whose keys ascend, within each and from one to the next. */
export interface SortedSource {
  next(): SizedBatch | null;
}

export interface SizedBatch extends Batch {
  /** Memory of its records, about; unknown: small. */
  readonly bytes?: number;
}

export class MergeTree implements BatchSource {
  readonly #cursors: Cursor[];
  /** Key prefix of each source's current record; infinite when it has no more. */
  readonly #prefixes: Float64Array;
  /** Node i has the children 2i and 2i + 1; leaf of source s is node k + s. Node 0 is the winner. */
  readonly #losers: Int32Array;
  readonly #k: number;
  #left: number;
  #started = false;
  /** Of sources' batches since the last batch of ours. */
  #decodedBytes = 0;

  constructor(sources: readonly SortedSource[]) {
    this.#k = sources.length;
    this.#left = sources.length;
    this.#cursors = sources.map((source) => new Cursor(source));
    this.#prefixes = new Float64Array(this.#k);
    this.#losers = new Int32Array(Math.max(1, this.#k));
  }

  nextBatch(): Batch | null {
    if (!this.#started) this.#start();
    if (this.#left === 0) return null;
    const keys: unknown[] = [];
    const values: unknown[] = [];
    const losers = this.#losers;
    this.#decodedBytes = 0;
    for (let n = 0; n < batchRecords && this.#left > 0 && this.#decodedBytes < batchBytes; n++) {
      const winner = losers[0] as number;
      const cursor = this.#cursors[winner] as Cursor;
      keys.push(cursor.key);
      values.push(cursor.values[cursor.at]);
      this.#advance(winner, cursor);
      this.#replay(winner);
    }
    return { keys, values, n: keys.length };
  }

  close(): void {
    this.#started = true;
    this.#left = 0;
    this.#cursors.length = 0;
  }

  #start(): void {
    this.#started = true;
    for (let s = 0; s < this.#k; s++) this.#advance(s, this.#cursors[s] as Cursor);
    if (this.#k > 0) this.#losers[0] = this.#play(1);
  }

  /** Plays all matches below a node, leaves the losers, returns the winner. */
  #play(node: number): number {
    if (node >= this.#k) return node - this.#k;
    const a = this.#play(node * 2);
    const b = this.#play(node * 2 + 1);
    const aWins = this.#beats(a, b);
    this.#losers[node] = aWins ? b : a;
    return aWins ? a : b;
  }

  #replay(source: number): void {
    const losers = this.#losers;
    let winner = source;
    for (let node = (this.#k + source) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node] as number;
      if (this.#beats(other, winner)) {
        losers[node] = winner;
        winner = other;
      }
    }
    losers[0] = winner;
  }

  #beats(a: number, b: number): boolean {
    const x = this.#prefixes[a] as number;
    const y = this.#prefixes[b] as number;
    if (x !== y) return x < y;
    if (x === Number.POSITIVE_INFINITY) return a < b;
    const order = compareValues((this.#cursors[a] as Cursor).key, (this.#cursors[b] as Cursor).key);
    return order === 0 ? a < b : order < 0;
  }

  #refill(cursor: Cursor): boolean {
    if (!cursor.refill()) return false;
    this.#decodedBytes += cursor.bytes;
    return true;
  }

  #advance(source: number, cursor: Cursor): void {
    if (++cursor.at < cursor.n || this.#refill(cursor)) {
      cursor.key = cursor.keys[cursor.at];
      this.#prefixes[source] = keyPrefix(cursor.key);
    } else {
      this.#prefixes[source] = Number.POSITIVE_INFINITY;
      this.#left--;
    }
  }
}

class Cursor {
  key: unknown;
  /** Of its batch. */
  bytes = 0;
  keys: readonly unknown[] = [];
  values: readonly unknown[] = [];
  at = -1;
  n = 0;
  readonly #source: SortedSource;

  constructor(source: SortedSource) {
    this.#source = source;
  }

  refill(): boolean {
    const batch = this.#source.next();
    if (batch === null) {
      this.key = undefined;
      this.keys = [];
      this.values = [];
      return false;
    }
    this.keys = batch.keys;
    this.values = batch.values;
    this.n = batch.n;
    this.bytes = batch.bytes ?? 0;
    this.at = 0;
    return true;
  }
}
