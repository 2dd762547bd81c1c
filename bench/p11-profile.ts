import { join } from "node:path";
import { textFiles } from "./data.ts";
import { inTurn, type Measured, measure, median } from "./measure.ts";
import type { Answer, Question, Scale } from "./question.ts";

interface Report {
  readonly seconds: number;
  readonly workerRss: number;
}

const textBytes = 200_000_000;

async function overhead(scale: Scale): Promise<Answer> {
  const script = join(import.meta.dirname, "jobs/word-count.ts");
  const files = textFiles(Math.floor(textBytes * scale.factor));
  const job = (kind: string) => () => measure<Report>([process.execPath, script, kind, ...files]);
  const { a: profiled, b: plain } = await inTurn(scale.runs, job("profiled"), job("combiner"));
  const seconds = (runs: readonly Measured<Report>[]) => median(runs.map(({ report }) => report.seconds));
  const cpu = (runs: readonly Measured<Report>[]) => median(runs.map(({ cpuSeconds }) => cpuSeconds));
  const rss = (runs: readonly Measured<Report>[]) => Math.max(...runs.map(({ report }) => report.workerRss)) / 1e6;
  return {
    figure: { name: "wall", value: seconds(profiled), unit: "s" },
    baseline: { what: "the same job, not profiled", name: "wall", value: seconds(plain), unit: "s" },
    ratio: seconds(profiled) / seconds(plain),
    others: [
      { name: "cpu", value: cpu(profiled), unit: "s" },
      { name: "cpu, not profiled", value: cpu(plain), unit: "s" },
      { name: "cpu ratio", value: cpu(profiled) / cpu(plain), unit: "x" },
      { name: "peak memory, worker", value: rss(profiled), unit: "MB" },
      { name: "peak memory, worker, not profiled", value: rss(plain), unit: "MB" },
    ],
  };
}

export const p11: Question = {
  id: "P11",
  title: "the word count of P1 with profile: true",
  target: "none: the overhead that docs/profiling.md states",
  run: overhead,
};
