/** How long a worker of a job's own may take, and how much of it is kept. Those of Disco, where it has some. */

/** Of the index of a task's outputs: whoever reads it has it in memory. */
export const indexBytesMax = 128 * 1_024 * 1_024;

export interface AttemptLimits {
  /** From the start to WORKER. */
  readonly announceMs: number;
  /** Without a byte in the middle of a message. */
  readonly messageMs: number;
  /** What comes after the first thing that is no message is read for so long: a traceback tells more than its first word. */
  readonly lastWordsMs: number;
  readonly lastWordsBytesMax: number;
  /** Answers that lie unread: beyond, nothing is read from the worker. */
  readonly unreadBytesMax: number;
  /** After so long of that, it is taken for one that does not read at all. */
  readonly unreadMs: number;
  /** Between two looks at its memory. */
  readonly memoryMs: number;
}

export const usualLimits: AttemptLimits = {
  announceMs: 30_000,
  messageMs: 30_000,
  lastWordsMs: 10_000,
  lastWordsBytesMax: 16 * 1_024,
  unreadBytesMax: 16 * 1_024 * 1_024,
  unreadMs: 60_000,
  memoryMs: 250,
};
