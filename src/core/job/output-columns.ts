/**
 * Outputs of a stage in a snapshot: columns, as in memory, because objects (a name for each number) would be three times the
 * bytes and the time. One entry a task that has an output, ascending; labels one after the other in columns of their own.
 * A function of the outputs alone: files are numbered in the order of the tasks.
 */
import type { OobRef } from "./spec.ts";

export interface OutputColumns {
  readonly tasks: readonly number[];
  readonly files: readonly (readonly [host: string, file: string])[];
  /** Index in `files`. */
  readonly file: readonly number[];
  readonly at: readonly number[];
  readonly length: readonly number[];
  readonly digest: readonly string[];
  readonly recordsIn: readonly number[];
  readonly recordsOut: readonly number[];
  readonly bytesIn: readonly number[];
  /** Number of labels of each task. */
  readonly labelCount: readonly number[];
  readonly label: readonly number[];
  readonly labelBytes: readonly number[];
  readonly labelRecords: readonly number[];
  readonly index: readonly (readonly [task: number, address: string])[];
  readonly oob: readonly (readonly [task: number, refs: readonly OobRef[]])[];
}
