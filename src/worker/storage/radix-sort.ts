/**
 * Sorts by a 64-bit number, stable: least significant digit first, moving indices, in working space that is kept between
 * sorts. A million random prefixes of 6 bytes take 85 ms, where `array.sort` over strings takes 400 to 600.
 */

/** From so many numbers on, digits of 16 bits are faster than digits of 8. */
const wideDigitsMin = 30_000;
/** Working space for more is given back after use. */
const keptMax = 1_000_000;

const wideCounts = new Uint32Array(65_536);
const narrowCounts = new Uint32Array(256);

export class RadixSort {
  /** The upper and the lower 32 bits of each number: set by the caller, after `reserve`. */
  high: Uint32Array = new Uint32Array(0);
  low: Uint32Array = new Uint32Array(0);
  /** After `sort`: the indices in ascending order. */
  indices: Uint32Array = new Uint32Array(0);
  #other: Uint32Array = new Uint32Array(0);

  /** Makes room for `n` numbers. */
  reserve(n: number): void {
    const { length } = this.high;
    if (length >= n && (length <= keptMax || n > keptMax)) return;
    const size = n > keptMax ? n : Math.min(keptMax, Math.max(1024, n + (n >>> 2)));
    for (const array of [this.high, this.low, this.indices, this.#other]) (array.buffer as ArrayBuffer).transfer(0);
    this.high = new Uint32Array(size);
    this.low = new Uint32Array(size);
    this.indices = new Uint32Array(size);
    this.#other = new Uint32Array(size);
  }

  /** Sorts the first `n` numbers. */
  sort(n: number): void {
    const { indices } = this;
    for (let i = 0; i < n; i++) indices[i] = i;
    const isWide = n >= wideDigitsMin;
    const counts = isWide ? wideCounts : narrowCounts;
    for (const words of [this.low, this.high]) {
      for (let shift = 0; shift < 32; shift += isWide ? 16 : 8) this.#pass(words, shift, counts, n);
    }
  }

  /** Replaces `order[start …]` by the same indices, in the order of the `n` numbers that were sorted for them. */
  permute(order: Uint32Array, start: number, n: number): void {
    const { indices } = this;
    const other = this.#other;
    for (let i = 0; i < n; i++) other[i] = order[start + (indices[i] as number)] as number;
    order.set(other.subarray(0, n), start);
  }

  /** Ranges of more than one of the `n` sorted numbers that are equal, shifted by `start`. */
  ties(start: number, n: number): [from: number, to: number][] {
    const { high, low, indices } = this;
    const ranges: [number, number][] = [];
    let begin = 0;
    for (let i = 1; i <= n; i++) {
      if (i < n) {
        const a = indices[begin] as number;
        const b = indices[i] as number;
        if (high[a] === high[b] && low[a] === low[b]) continue;
      }
      if (i - begin > 1) ranges.push([start + begin, start + i]);
      begin = i;
    }
    return ranges;
  }

  #pass(words: Uint32Array, shift: number, counts: Uint32Array, n: number): void {
    const mask = counts.length - 1;
    counts.fill(0);
    for (let i = 0; i < n; i++) {
      const digit = ((words[i] as number) >>> shift) & mask;
      counts[digit] = (counts[digit] as number) + 1;
    }
    // A digit that all keys share orders nothing.
    if (counts[((words[0] as number) >>> shift) & mask] === n) return;
    let sum = 0;
    for (let digit = 0; digit <= mask; digit++) {
      const count = counts[digit] as number;
      counts[digit] = sum;
      sum += count;
    }
    const from = this.indices;
    const to = this.#other;
    for (let i = 0; i < n; i++) {
      const index = from[i] as number;
      const digit = ((words[index] as number) >>> shift) & mask;
      const place = counts[digit] as number;
      counts[digit] = place + 1;
      to[place] = index;
    }
    this.indices = to;
    this.#other = from;
  }
}

/** Sorts follow each other in a worker: one working space for all. */
export const radix = new RadixSort();
