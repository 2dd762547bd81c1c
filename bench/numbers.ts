/** What a question answers is to be numbers: JSON would make `null` of anything else on its way to whoever asked. */
import type { Answer } from "./question.ts";

/** @throws RangeError that names the question and the line whose value is none, or that has no values */
export function requireNumbers(id: string, { lines }: Answer): void {
  for (const { name, values, baseline } of lines) {
    check(`${id}, "${name}"`, values);
    if (baseline !== undefined) check(`${id}, "${name}", beside ${baseline.what}`, baseline.values);
  }
}

function check(what: string, values: readonly unknown[]): void {
  if (values.length === 0) throw new RangeError(`${what}: no run gave a value`);
  for (const [run, value] of values.entries()) {
    if (Number.isFinite(value)) continue;
    throw new RangeError(
      `${what}: run ${run + 1} gave ${String(value)}, which is no number: did its script print its report last?`,
    );
  }
}
