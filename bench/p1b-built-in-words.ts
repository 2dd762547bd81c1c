import { join } from "node:path";
import { textFiles } from "./data.ts";
import { inTurn, type Measured, measure, memoryOf, peakLine, secondsOf, timeLines } from "./measure.ts";
import { assertSameCounts, type Report, textBytes, wordCountScript } from "./p1-p2-word-count.ts";
import type { Question } from "./question.ts";

const here = import.meta.dirname;

export const p1b: Question = {
  id: "P1B",
  title: "P1 by the built-in functions: words() and sum",
  target: "wall ≤ 1.0× of DuckDB with 2 threads, and of P1's baseline",
  async run(scale) {
    const bytes = Math.floor(textBytes * scale.factor);
    const files = textFiles(bytes);
    const script = (path: string, process: string) => (): Promise<Measured<Report>> =>
      measure<Report>([globalThis.process.execPath, join(here, path), ...files], { process });
    const [job = [], duckdb = [], loop = []] = await inTurn(
      scale.runs,
      script("jobs/words-fn.ts", "client and master"),
      script("baselines/duckdb-words.ts", "DuckDB"),
      wordCountScript(files),
    );
    assertSameCounts([...job, ...duckdb], loop);
    const target = { kind: "ratio-max", value: 1 } as const;
    return {
      lines: [
        ...timeLines(job, { what: "DuckDB, 2 threads", runs: duckdb }, target),
        {
          name: "wall, beside the bare loop",
          unit: "s",
          values: secondsOf(job),
          again: "wall",
          baseline: { what: "hand-written script, 2 processes", values: secondsOf(loop) },
          target,
        },
        peakLine(job, "worker"),
        { name: "throughput", unit: "MB/s", values: job.map(({ report }) => bytes / 1e6 / report.seconds) },
      ],
      memory: [...memoryOf(job), ...memoryOf(duckdb), ...memoryOf(loop)],
    };
  },
};
