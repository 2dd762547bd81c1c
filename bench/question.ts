/** One benchmark answers one question: how long does this work take, beside what, and what was aimed at. */

export interface Figure {
  /** What was measured, e.g. `wall`, `cpu`, `peak memory, worker`. */
  readonly name: string;
  readonly value: number;
  readonly unit: "s" | "ms" | "MB" | "MB/s" | "tasks/s" | "x" | "records/s" | "requests/s";
}

export interface Answer {
  /** The figure that the target speaks of. */
  readonly figure: Figure;
  readonly baseline?: Figure & { readonly what: string };
  /** figure / baseline, when both are times. */
  readonly ratio?: number;
  readonly others: readonly Figure[];
}

export interface Scale {
  /** 1 is the size that the target names; 0.01 is the smoke run. */
  readonly factor: number;
  /** Counted runs; the median is reported. */
  readonly runs: number;
}

export interface Question {
  readonly id: string;
  readonly title: string;
  readonly target: string;
  run(scale: Scale): Promise<Answer>;
}

/** Thrown by a question that cannot be asked on this machine, with the reason. */
export class Skipped extends Error {
  override name = "Skipped";
}
