import assert from "node:assert/strict";
import { join } from "node:path";
import { longLine, recordBytes, sortFile } from "./data.ts";
import { type Measured, measure, memoryOf, peakLine } from "./measure.ts";
import type { Answer, Line, Question, Scale } from "./question.ts";

const fileRecords = 10_000_000;
/** The sort reads the same file so often: 4 GB. */
const sortedFiles = 4;
const fullValues = 50_000_000;
const fullKeys = 100_000_000;
const limitMegabytes = 256 * 1.048576;

interface Report {
  readonly seconds: number;
  readonly records: number;
}

interface Failed {
  readonly seconds: number;
  readonly code: string;
  readonly message: string;
}

/** Once: it is about peaks. */
async function run({ factor }: Scale): Promise<Answer> {
  const records = Math.floor(fileRecords * factor);
  const file = sortFile(records);
  const keys = String(Math.ceil(fullKeys * factor));
  const sort = await job<Report>("sort.ts", ...new Array<string>(sortedFiles).fill(file));
  assert.equal(sort.report.records, records * sortedFiles, "every record comes out");
  const hot = await job<Report>("hot-key.ts", String(Math.ceil(fullValues * factor)));
  const folded = await job<Report>("distinct-keys.ts", "sum", keys);
  const sortedKeys = await job<Report>("distinct-keys.ts", "sort", keys);
  const line = await job<Failed>("long-line.ts", longLine());
  assert.equal(line.report.code, "record-too-long", line.report.message);
  const parts: readonly (readonly [string, Measured<{ readonly seconds: number }>])[] = [
    ["sort of 4 GB", sort],
    ["50 M values of one key", hot],
    ["100 M keys, sum", folded],
    ["100 M keys, sort", sortedKeys],
    ["line of 100 MB", line],
  ];
  return {
    lines: [
      ...parts.flatMap(([name, measured]) => figures(name, measured)),
      throughput("sort of 4 GB", (records * sortedFiles * recordBytes) / 1e6 / sort.report.seconds, "MB/s"),
      throughput("50 M values of one key", hot.report.records / hot.report.seconds, "records/s"),
      throughput("100 M keys, sum", (2 * folded.report.records) / folded.report.seconds, "records/s"),
      throughput("100 M keys, sort", (2 * sortedKeys.report.records) / sortedKeys.report.seconds, "records/s"),
    ],
    memory: parts.flatMap(([name, measured]) => memoryOf([measured], name)),
  };
}

async function job<T>(script: string, ...args: string[]): Promise<Measured<T>> {
  return measure<T>([process.execPath, join(import.meta.dirname, "jobs", script), ...args]);
}

function figures(name: string, measured: Measured<{ readonly seconds: number }>): Line[] {
  return [
    { ...peakLine([measured], "worker", limitMegabytes), name: `${name}: peak memory, worker` },
    { name: `${name}: wall`, unit: "s", values: [measured.report.seconds] },
    { name: `${name}: cpu`, unit: "s", values: [measured.cpuSeconds] },
  ];
}

const throughput = (name: string, value: number, unit: Line["unit"]): Line => ({
  name: `${name}: rate`,
  unit,
  values: [value],
});

export const p10: Question = {
  id: "P10",
  title: "memory within 256 MB a worker: sort of 4 GB, 50 M values of one key, 100 M distinct keys, a line of 100 MB",
  target: "no worker above memoryLimit (256 MiB), whatever the size of the input; the line is an error that names it",
  run,
};
