/**
 * What of a job's memory limit goes where. What is read and what is written are estimated, V8 needs room to collect garbage, and the
 * process itself takes its part before it begins: with a small limit that part is most of it.
 */
export interface MemoryShares {
  /** Bytes that records may take which are sorted or merged on their way in. */
  readonly inputBytes: number;
  /** Records that wait to be written. */
  readonly outputBytes: number;
  /** A combiner's buffers, or the table of a fold. */
  readonly combinerBytes: number;
}

/** Of a worker that has done nothing yet. */
const processBytes = 64 * 1024 * 1024;
/** Limits of which the process leaves less than this are not kept anyway: better to try than to write every record by itself. */
const roomShareMin = 1 / 4;

/** Of what the process leaves. */
const inputShare = 1 / 6;
const outputShare = 1 / 6;
const combinerShare = 1 / 12;

/**
 * No more, however much memory there is: records refer to their text by 32 bits, of which the largest record that was just added needs
 * half, and a `Map` ends at 16 million entries.
 */
const bytesMax = 1024 * 1024 * 1024;

export function memoryShares(memoryLimitBytes: number): MemoryShares {
  const roomBytes = Math.max(memoryLimitBytes - processBytes, memoryLimitBytes * roomShareMin);
  return {
    inputBytes: Math.min(bytesMax, roomBytes * inputShare),
    outputBytes: Math.min(bytesMax, roomBytes * outputShare),
    combinerBytes: Math.min(bytesMax, roomBytes * combinerShare),
  };
}
