/**
 * Merges k sorted sources into one, stable: of equal keys, those of the earlier source come first.
 *
 * A loser tree: an inner node holds the loser of its match, the winner goes on; when the overall winner moves to its next
 * record, only the matches on its way to the root are played again: log2(k) comparisons of doubles (`keyPrefix`), and of
 * whole keys where these tie.
 *
 * Where all sources are at a batch of texts, records are copied as bytes into a batch of texts, and no string is made. As long
 * as any is not, the batch that comes out is of arrays.
 */
import { copyInside } from "../../protocol/block-move.ts";
import { TextRecords } from "../../protocol/text-records.ts";
import { type Batch, type BatchSource, type SortedSource, TextBatch } from "./batch.ts";
import { MergeArena } from "./merge-arena.ts";
import { MergeCursor } from "./merge-cursor.ts";

/** Records of a merged batch, at most. */
const batchRecords = 2048;
/** A batch ends where more than this was decoded or copied for it: records may be of a megabyte each. */
const batchBytes = 1024 * 1024;

export class MergeTree implements BatchSource {
  readonly #cursors: MergeCursor[];
  /** Key prefix of each source's current record; infinite when it has no more. */
  readonly #prefixes: Float64Array;
  /** Node i has the children 2i and 2i + 1; leaf of source s is node k + s. Node 0 is the winner. */
  readonly #losers: Int32Array;
  readonly #k: number;
  #left: number;
  /** Sources that are at a batch of arrays. */
  #plain = 0;
  #started = false;
  /** Of sources' batches since the last batch of ours. */
  #decodedBytes = 0;
  readonly #arena: MergeArena | null;
  readonly #keyMarks: Uint32Array;
  readonly #valueMarks: Uint32Array;

  /** `sourceBytes`: how much each source reads, where they read blocks; they may then keep one in memory of the merge's. */
  constructor(sources: readonly SortedSource[], sourceBytes?: readonly number[]) {
    this.#k = sources.length;
    this.#left = sources.length;
    this.#arena = sourceBytes === undefined ? null : new MergeArena(sourceBytes, batchBytes);
    this.#cursors = sources.map((source, s) => new MergeCursor(source, this.#arena?.places[s] ?? null));
    this.#prefixes = new Float64Array(this.#k);
    this.#losers = new Int32Array(Math.max(1, this.#k));
    this.#keyMarks = new Uint32Array(this.#arena === null ? 0 : batchRecords);
    this.#valueMarks = new Uint32Array(this.#arena === null ? 0 : batchRecords);
  }

  nextBatch(): Batch | null {
    if (!this.#started) this.#start();
    if (this.#left === 0) return null;
    return this.#plain === 0 && this.#arena !== null ? this.#nextTexts(this.#arena) : this.#nextArrays();
  }

  close(): void {
    this.#started = true;
    this.#left = 0;
    this.#cursors.length = 0;
    this.#arena?.release();
  }

  #nextTexts({ bytes, outAt, outBytes }: MergeArena): Batch {
    const keyMarks = this.#keyMarks;
    const valueMarks = this.#valueMarks;
    const losers = this.#losers;
    const end = outAt + outBytes;
    let to = outAt;
    let n = 0;
    while (n < batchRecords && this.#left > 0 && this.#plain === 0 && to < end) {
      const winner = losers[0] as number;
      const cursor = this.#cursors[winner] as MergeCursor;
      const { at, starts } = cursor;
      const texts = cursor.texts as TextRecords;
      keyMarks[n] = texts.keyMarks[at] as number;
      valueMarks[n] = texts.valueMarks[at] as number;
      to = copyInside(bytes, to, starts[at] as number, starts[at + 1] as number);
      n++;
      this.#advance(winner, cursor);
      this.#replay(winner);
    }
    return new TextBatch(new TextRecords(bytes, outAt, keyMarks, valueMarks, n), to - outAt);
  }

  #nextArrays(): Batch {
    const keys: unknown[] = [];
    const values: unknown[] = [];
    const losers = this.#losers;
    this.#decodedBytes = 0;
    for (let n = 0; n < batchRecords && this.#left > 0 && this.#decodedBytes < batchBytes; n++) {
      const winner = losers[0] as number;
      const cursor = this.#cursors[winner] as MergeCursor;
      const { batch } = cursor;
      keys.push(batch.keys[cursor.at]);
      values.push(batch.values[cursor.at]);
      this.#advance(winner, cursor);
      this.#replay(winner);
    }
    return { keys, values, n: keys.length };
  }

  #start(): void {
    this.#started = true;
    for (let s = 0; s < this.#k; s++) this.#advance(s, this.#cursors[s] as MergeCursor);
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
    const prefixes = this.#prefixes;
    let winner = source;
    for (let node = (this.#k + source) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node] as number;
      const x = prefixes[other] as number;
      const y = prefixes[winner] as number;
      if (x < y || (x === y && this.#beats(other, winner))) {
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
    const order = (this.#cursors[a] as MergeCursor).compare(this.#cursors[b] as MergeCursor);
    return order === 0 ? a < b : order < 0;
  }

  #advance(source: number, cursor: MergeCursor): void {
    if (++cursor.at < cursor.n || this.#refill(cursor)) {
      this.#prefixes[source] = cursor.prefix;
    } else {
      this.#prefixes[source] = Number.POSITIVE_INFINITY;
      this.#left--;
    }
  }

  #refill(cursor: MergeCursor): boolean {
    const wasPlain = cursor.n > 0 && cursor.texts === null;
    const isThere = cursor.refill();
    const isPlain = isThere && cursor.texts === null;
    this.#plain += (isPlain ? 1 : 0) - (wasPlain ? 1 : 0);
    if (isThere) this.#decodedBytes += cursor.bytes;
    return isThere;
  }
}
