import assert from "node:assert/strict";
import { join } from "node:path";
import { textFiles } from "./data.ts";
import { inTurn, measure, memoryOf, peakLine, secondsOf, timeLines } from "./measure.ts";
import type { Question } from "./question.ts";

const here = import.meta.dirname;
const textBytes = 1_000_000_000;
/** A word from q to x, then one that ends with z: 2,000 of 12 million lines. It means the same to JavaScript and to grep. */
const pattern = "(^| )q[a-z]*x [a-z]*z( |$)";

interface Report {
  readonly seconds?: number;
  readonly matches: number;
}

export const p4: Question = {
  id: "P4",
  title: "grep: 1 GB of text in 8 files, a regular expression with few matches",
  target: "wall ≤ 1.1× of the bare loop",
  async run(scale) {
    const files = textFiles(Math.floor(textBytes * scale.factor));
    const script = (folder: string, ...flags: string[]): string[] => [
      process.execPath,
      join(here, folder, "grep.ts"),
      ...flags,
      pattern,
      ...files,
    ];
    const [job = [], loop = [], generator = [], grep = []] = await inTurn(
      scale.runs,
      () => measure<Report>(script("jobs")),
      () => measure<Report>(script("baselines"), { process: "script" }),
      () => measure<Report>(script("jobs", "--generator")),
      () => measure<Report>([process.execPath, join(here, "baselines/gnu-grep.ts"), pattern, ...files]),
    );
    for (const { report } of [...job, ...generator, ...grep]) {
      assert.equal(report.matches, loop[0]?.report.matches, "all find the same lines");
    }
    const what = "hand-written script, 2 processes";
    return {
      lines: [
        ...timeLines(job, { what, runs: loop }, { kind: "ratio-max", value: 1.1 }),
        {
          name: "wall, beside grep -c",
          unit: "s",
          values: secondsOf(job),
          again: "wall",
          baseline: { what: "grep -E -c, 2 processes", values: secondsOf(grep) },
        },
        { name: "wall, generator", unit: "s", values: secondsOf(generator) },
        peakLine(job, "worker"),
      ],
      memory: [...memoryOf(job), ...memoryOf(loop)],
    };
  },
};
