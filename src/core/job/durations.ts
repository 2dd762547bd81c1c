/**
 * How long the done tasks of a stage took, in a fixed number of counters, four an octave: enough for a median that is right
 * to a tenth, however many tasks there are.
 */

/** Below 4 ms each millisecond has its own; above, each octave has four. Up to 2**31 ms. */
const bucketsMax = 120;
const longestMs = 2 ** 31 - 1;

export class Durations {
  readonly #counts: Int32Array = new Int32Array(bucketsMax);
  count = 0;

  add(ms: number): void {
    this.addTo(bucketOf(ms), 1);
  }

  addTo(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    this.count += count;
  }

  /** Milliseconds; 0 if nothing was added. */
  median(): number {
    let left = this.count / 2;
    for (let bucket = 0; bucket < bucketsMax; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return this.count === 0 ? 0 : middleOf(bucket);
    }
    return 0;
  }

  /** Buckets that have something, ascending. */
  entries(): [bucket: number, count: number][] {
    const entries: [number, number][] = [];
    this.#counts.forEach((count, bucket) => {
      if (count > 0) entries.push([bucket, count]);
    });
    return entries;
  }
}

function bucketOf(ms: number): number {
  const whole = Math.min(Math.max(0, Math.floor(ms)), longestMs);
  if (whole < 4) return whole;
  const octave = 31 - Math.clz32(whole);
  return (octave - 1) * 4 + ((whole >>> (octave - 2)) & 3);
}

function middleOf(bucket: number): number {
  if (bucket < 4) return bucket;
  const width = 2 ** ((bucket >> 2) - 1);
  return (4 + (bucket & 3)) * width + (width - 1) / 2;
}
