/** What of a job's memory limit goes where: what is read and what is written are estimated, and V8 needs room to collect garbage. */
export interface MemoryShares {
  /** Bytes that records may take which are sorted or merged on their way in. */
  readonly inputBytes: number;
  /** Records that wait to be written. */
  readonly outputBytes: number;
  /** A combiner's buffers, or the table of a fold. */
  readonly combinerBytes: number;
}

const inputShare = 1 / 6;
const outputShare = 1 / 6;
const combinerShare = 1 / 12;

/**
 * No more, however much memory there is: records refer to their text by 32 bits, of which the largest record that was just added needs
 * half, and a `Map` ends at 16 million entries.
 */
const bytesMax = 1024 * 1024 * 1024;

export function memoryShares(memoryLimitBytes: number): MemoryShares {
  return {
    inputBytes: Math.min(bytesMax, memoryLimitBytes * inputShare),
    outputBytes: Math.min(bytesMax, memoryLimitBytes * outputShare),
    combinerBytes: Math.min(bytesMax, memoryLimitBytes * combinerShare),
  };
}
