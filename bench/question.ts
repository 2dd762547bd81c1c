/** One benchmark answers one question: how long does this work take, beside what, and what was aimed at. */
import type { Plot } from "./plot.ts";
import type { Profile } from "./profile-shares.ts";

export type Unit = "s" | "ms" | "MB" | "MB/s" | "tasks/s" | "records/s" | "requests/s" | "µs" | "x" | "exponent";

/** What a line is to reach: at most so many times its baseline, at most or at least so much. */
export interface Target {
  readonly kind: "ratio-max" | "max" | "min";
  readonly value: number;
}

/** One figure of an answer: a value a run, and those of the baseline that ran in turn with it, where there is one. */
export interface Line {
  /** Unique within the answer, e.g. `wall`, `cpu`. */
  readonly name: string;
  readonly unit: Unit;
  /** One a run. */
  readonly values: readonly number[];
  /** What stands for all runs. Default: the median; of peaks the highest. */
  readonly by?: "median" | "highest";
  readonly baseline?: { readonly what: string; readonly values: readonly number[] };
  readonly target?: Target;
  /** The line of the same answer whose values these are, beside another baseline. */
  readonly again?: string;
}

/** The peak of resident memory of one process, e.g. `worker 2`, over all runs. */
export interface ProcessPeak {
  readonly name: string;
  readonly megabytes: number;
  /** The part of the question that it ran for, where there are several. */
  readonly part?: string;
}

export interface Answer {
  /** The first one is what the question is about. */
  readonly lines: readonly Line[];
  /** Every process of the job, and of the baseline. */
  readonly memory: readonly ProcessPeak[];
  /** Written to `docs/` after a run on all of the data. */
  readonly plots?: readonly { readonly file: string; readonly plot: Plot }[];
}

export interface Scale {
  /** 1 is the size that the target names; 0.01 is the smoke run. */
  readonly factor: number;
  /** Counted runs. */
  readonly runs: number;
}

export interface Question {
  readonly id: string;
  readonly title: string;
  /** In words, for people; the lines have it as numbers. */
  readonly target: string;
  run(scale: Scale): Promise<Answer>;
  /** For `--profile`: runs the job once and gives the CPU profile of its tasks. */
  profile?(scale: Scale): Promise<Profile>;
}

/** Thrown by a question that cannot be asked on this machine, with the reason. */
export class Skipped extends Error {
  override name = "Skipped";
}
