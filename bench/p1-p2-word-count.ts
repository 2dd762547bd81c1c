import assert from "node:assert/strict";
import { join } from "node:path";
import { textFiles } from "./data.ts";
import { inTurn, type Measured, measure, memoryOf, peakLine, timeLines } from "./measure.ts";
import type { Profile } from "./profile-shares.ts";
import type { Answer, Question, Scale, Target } from "./question.ts";

export interface Report {
  readonly seconds: number;
  readonly distinct: number;
  readonly total: number;
}

const here = import.meta.dirname;
export const textBytes = 200_000_000;
const workerMegabytesMax = 200;

/** Both scripts measure from the moment they have started until the result is known: the start of Node is in neither. */
export const wordCountJob = (kind: string, files: readonly string[]) => (): Promise<Measured<Report>> =>
  measure<Report>([process.execPath, join(here, "jobs/word-count.ts"), kind, ...files]);
export const wordCountScript = (files: readonly string[]) => (): Promise<Measured<Report>> =>
  measure<Report>([process.execPath, join(here, "baselines/word-count.ts"), ...files], { process: "script" });

/** Every run counted what the first one of the baseline did. */
export function assertSameCounts(runs: readonly Measured<Report>[], baseline: readonly Measured<Report>[]): void {
  for (const { report } of runs) {
    assert.equal(report.total, baseline[0]?.report.total, "both sides count the same words");
    assert.equal(report.distinct, baseline[0]?.report.distinct);
  }
}

async function wordCount(scale: Scale, kind: "combiner" | "none", target: Target): Promise<Answer> {
  const bytes = Math.floor(textBytes * scale.factor);
  const files = textFiles(bytes);
  const [job = [], script = []] = await inTurn(scale.runs, wordCountJob(kind, files), wordCountScript(files));
  assertSameCounts(job, script);
  const throughput = job.map(({ report }) => bytes / 1e6 / report.seconds);
  return {
    lines: [
      ...timeLines(job, { what: "hand-written script, 2 processes", runs: script }, target),
      peakLine(job, "worker", kind === "combiner" ? workerMegabytesMax : undefined),
      { name: "throughput", unit: "MB/s", values: throughput },
    ],
    memory: [...memoryOf(job), ...memoryOf(script)],
  };
}

export const p1: Question = {
  id: "P1",
  title: "word count, 200 MB of text in 8 files, 4 partitions, generator map, combiner",
  target: "wall ≤ 1.15×, peak memory of a worker ≤ 200 MB",
  run: (scale) => wordCount(scale, "combiner", { kind: "ratio-max", value: 1.15 }),
  async profile({ factor }) {
    const files = textFiles(Math.floor(textBytes * factor));
    const command = [process.execPath, join(here, "jobs/word-count.ts"), "profile", ...files];
    const { report } = await measure<Report & { readonly profile: Profile }>(command);
    return report.profile;
  },
};

export const p2: Question = {
  id: "P2",
  title: "the same without a combiner: 34 M pairs through partition, disk and shuffle",
  target: "wall ≤ 2.5× of P1's baseline",
  run: (scale) => wordCount(scale, "none", { kind: "ratio-max", value: 2.5 }),
};
