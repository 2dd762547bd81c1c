/**
 * When a disk has too little room for new work: below its reserve, and from then on until there is a little more than that, lest it
 * flutter. What is left then is for the end of what runs.
 */

/** More than the reserve, by this share of it, is needed to go on. */
const marginShare = 1 / 8;

/** What is known of a disk. */
export interface DiskSpace {
  /** Bytes; infinite where the file system does not tell. */
  readonly freeBytes: number;
  /** Bytes that are to stay free. */
  readonly reserveBytes: number;
}

/** `wasLow`: what was answered before. */
export function isLow({ freeBytes, reserveBytes }: DiskSpace, wasLow: boolean): boolean {
  return freeBytes < (wasLow ? reserveBytes * (1 + marginShare) : reserveBytes);
}
