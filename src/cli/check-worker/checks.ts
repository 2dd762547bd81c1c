/** All checks, in the order in which a new worker gets past them. */
import type { Bench } from "./bench.ts";
import { delivery } from "./delivery-checks.ts";
import { handshake } from "./handshake-checks.ts";
import { inputs } from "./input-checks.ts";
import { type Outcome, skipped } from "./judgement.ts";

export interface Check {
  /** For `--only`. */
  readonly id: string;
  /** What a worker that passes does. */
  readonly title: string;
  /** What must have worked before it makes sense. Default: a task without anything out of the ordinary. */
  readonly needs?: "nothing";
  run(bench: Bench): Promise<Outcome>;
}

export const checks: readonly Check[] = [...handshake, ...inputs, ...delivery];

export interface CheckResult {
  readonly id: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly ms: number;
}

/** Why most checks of a new worker are not made. */
export const plainFirst = "a plain task has to be done first";

export async function* runChecks(bench: Bench, wanted: readonly Check[]): AsyncGenerator<CheckResult> {
  for (const check of wanted) {
    const { id, title } = check;
    const from = performance.now();
    const isReady = check.needs === "nothing" || (await bench.plain()).end.kind === "DONE";
    const outcome = isReady ? await check.run(bench) : skipped(plainFirst);
    yield { id, title, outcome, ms: Math.round(performance.now() - from) };
  }
}
