/** Tells jobs from other values without importing the class, so that no two files import each other. */

const mark: unique symbol = Symbol.for("disco-mapreduce.job") as never;

export interface MarkedJob {
  readonly name: string;
  wait(): Promise<string[]>;
}

export function markAsJob(prototype: object): void {
  Object.defineProperty(prototype, mark, { value: true });
}

/** Whether `value` is a `Job`, of this or another copy of the package. */
export function isJob(value: unknown): value is MarkedJob {
  return typeof value === "object" && value !== null && mark in value;
}
