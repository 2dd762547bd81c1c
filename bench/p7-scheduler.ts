/**
 * The scheduler and the job machine alone, in one thread: no journal, no network, no workers. It never waits, so its time is the CPU time
 * of that thread, which other programs make longer by less.
 */
import { join } from "node:path";
import { inTurn, type Measured, measure, memoryOf } from "./measure.ts";
import type { Line, Question, Target } from "./question.ts";

const script = join(import.meta.dirname, "../sim/scale.ts");
const fullTasks = 1_000_000;
const nodes = 1_000;
/** Active at once. */
const jobCounts = [1, 100, 5_000, 10_000];
const fewerTasksFactor = 10;
const microsMax = 10;
const ratioMax = 1.2;

interface Report {
  readonly cpuMicrosPerDecision: number;
}

type Run = Measured<Report>;

const micros = (runs: readonly Run[]): number[] => runs.map(({ report }) => report.cpuMicrosPerDecision);

export const p7: Question = {
  id: "P7",
  title: "1,000 nodes and 1,000,000 tasks through the scheduler and the job machine, of 1 to 10,000 jobs at once",
  target: "≤ 10 µs a decision, and ≤ 1.2 × that of ten times fewer tasks",
  async run({ factor, runs }) {
    const tasks = Math.max(fewerTasksFactor, Math.floor(fullTasks * factor));
    const play = (count: number, jobs: number) => (): Promise<Run> =>
      measure<Report>([process.execPath, script, ...[count, nodes, jobs].map(String)], { process: "scheduler" });
    const lines: Line[] = [];
    const all: Run[] = [];
    const target: Target = { kind: "max", value: microsMax };
    for (const jobs of jobCounts) {
      // Of as many jobs; each has fewer tasks. Below one task a job there is nothing to compare.
      const few = Math.floor(tasks / fewerTasksFactor);
      const sides = few >= jobs ? [play(tasks, jobs), play(few, jobs)] : [play(Math.max(tasks, jobs), jobs)];
      const [many = [], fewer] = await inTurn(runs, ...sides);
      all.push(...many);
      const name = jobs === 1 ? "a decision, 1 job" : `a decision, ${jobs.toLocaleString("en")} jobs`;
      lines.push({ name, unit: "µs", values: micros(many), target });
      if (fewer === undefined) continue;
      lines.push({
        name: `${name}, beside fewer tasks`,
        unit: "µs",
        values: micros(many),
        baseline: { what: `${few.toLocaleString("en")} tasks`, values: micros(fewer) },
        target: { kind: "ratio-max", value: ratioMax },
        again: name,
      });
    }
    return { lines, memory: memoryOf(all) };
  },
};
