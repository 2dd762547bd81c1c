/** The same question in two stands, a run here and a run there in turn, so that both saw the same minutes of the machine. */
import type { Asked } from "./asking.ts";
import type { Answer, Scale, Unit } from "./question.ts";
import type { Stand } from "./stand.ts";
import { type Comparison, compare } from "./statistics.ts";

export type Versus =
  | { readonly skipped: string }
  | {
      readonly runs: number;
      readonly lines: readonly { readonly name: string; readonly unit: Unit; readonly comparison: Comparison }[];
    };

export async function versus(
  id: string,
  ours: Stand,
  theirs: Stand,
  { factor, runs }: Scale,
  asking: (stand: Stand, id: string, scale: Scale) => Promise<Asked>,
): Promise<Versus> {
  const answers: { ours: Answer[]; theirs: Answer[] } = { ours: [], theirs: [] };
  for (let i = 0; i < runs; i++) {
    const here = await asking(ours, id, { factor, runs: 1 });
    if ("skipped" in here) return here;
    const there = await asking(theirs, id, { factor, runs: 1 });
    if ("skipped" in there) return there;
    answers.ours.push(here.answer);
    answers.theirs.push(there.answer);
  }
  const own = (answers.ours[0]?.lines ?? []).filter(({ again }) => again === undefined);
  const lines = own.map(({ name, unit }) => {
    const valuesOf = (side: readonly Answer[]): number[] =>
      side.flatMap((answer) => answer.lines.filter((line) => line.name === name).flatMap((line) => line.values));
    return { name, unit, comparison: compare(valuesOf(answers.ours), valuesOf(answers.theirs)) };
  });
  return { runs, lines };
}
