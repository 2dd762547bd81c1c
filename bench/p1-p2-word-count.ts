import assert from "node:assert/strict";
import { join } from "node:path";
import { textFiles } from "./data.ts";
import { inTurn, type Measured, measure, median } from "./measure.ts";
import type { Answer, Question, Scale } from "./question.ts";

interface Report {
  readonly seconds: number;
  readonly distinct: number;
  readonly total: number;
  readonly workerRss: number;
  readonly mainRss: number;
}

const here = import.meta.dirname;
const textBytes = 200_000_000;

/** Both scripts measure from the moment they have started until the result is known: the start of Node is in neither. */
async function wordCount(scale: Scale, combiner: "combiner" | "none"): Promise<Answer> {
  const files = textFiles(Math.floor(textBytes * scale.factor));
  const { a: job, b: script } = await inTurn(
    scale.runs,
    () => measure<Report>([process.execPath, join(here, "jobs/word-count.ts"), combiner, ...files]),
    () => measure<Report>([process.execPath, join(here, "baselines/word-count.ts"), ...files]),
  );
  for (const { report } of job) {
    assert.equal(report.total, script[0]?.report.total, "the job and the script count the same words");
    assert.equal(report.distinct, script[0]?.report.distinct);
  }
  const seconds = (runs: readonly Measured<Report>[]) => median(runs.map(({ report }) => report.seconds));
  const cpu = (runs: readonly Measured<Report>[]) => median(runs.map(({ cpuSeconds }) => cpuSeconds));
  const rss = (of: "workerRss" | "mainRss") => Math.max(...job.map(({ report }) => report[of])) / 1e6;
  return {
    figure: { name: "wall", value: seconds(job), unit: "s" },
    baseline: { what: "hand-written script, 2 processes", name: "wall", value: seconds(script), unit: "s" },
    ratio: seconds(job) / seconds(script),
    others: [
      { name: "cpu", value: cpu(job), unit: "s" },
      { name: "cpu, script", value: cpu(script), unit: "s" },
      { name: "peak memory, worker", value: rss("workerRss"), unit: "MB" },
      { name: "peak memory, client and master", value: rss("mainRss"), unit: "MB" },
      { name: "throughput", value: (textBytes * scale.factor) / 1e6 / seconds(job), unit: "MB/s" },
    ],
  };
}

export const p1: Question = {
  id: "P1",
  title: "word count, 200 MB of text in 8 files, 4 partitions, generator map, combiner",
  target: "wall <= 1.15x, peak memory of a worker <= 200 MB",
  run: (scale) => wordCount(scale, "combiner"),
};

export const p2: Question = {
  id: "P2",
  title: "the same without a combiner: 31 M pairs through partition, disk and shuffle",
  target: "wall <= 2.5x of P1's baseline",
  run: (scale) => wordCount(scale, "none"),
};
