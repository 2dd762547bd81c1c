import assert from "node:assert/strict";
import { join } from "node:path";
import { longLine, recordBytes, sortFile } from "./data.ts";
import { measure } from "./measure.ts";
import type { Figure, Question } from "./question.ts";

const fullRecords = 10_000_000;
const fullValues = 50_000_000;
const limitMegabytes = 256;

interface Report {
  readonly seconds: number;
  readonly records: number;
  /** Peak resident memory of each worker process, in bytes. */
  readonly workers: readonly number[];
  readonly main: number;
}

export const p10: Question = {
  id: "P10",
  title: `memory of each process, ${limitMegabytes} MB a worker: sort of 1 GB, 50 M values of one key, a line of 100 MB`,
  target: `no worker above memoryLimit (${Math.round(limitMegabytes * 1.048576)} MB), whatever the size of the input`,
  async run(scale) {
    const records = Math.floor(fullRecords * scale.factor);
    const sort = await job<Report>("sort.ts", sortFile(records));
    assert.equal(sort.records, records, "every record comes out");
    const hot = await job<Report>("hot-key.ts", String(Math.ceil(fullValues * scale.factor)));
    const line = await job<Report & { code: string; message: string }>("long-line.ts", longLine());
    assert.equal(line.code, "record-too-long", line.message);
    const peak = Math.max(...sort.workers, ...hot.workers, ...line.workers) / 1e6;
    return {
      figure: { name: "peak memory, any worker", value: peak, unit: "MB" },
      others: [
        ...figures("sort", sort),
        { name: "sort, throughput", value: (records * recordBytes) / 1e6 / sort.seconds, unit: "MB/s" },
        ...figures("one key", hot),
        { name: "one key, values", value: hot.records / hot.seconds, unit: "records/s" },
        ...figures("long line", line),
      ],
    };
  },
};

async function job<T>(script: string, argument: string): Promise<T> {
  return (await measure<T>([process.execPath, join(import.meta.dirname, "jobs", script), argument])).report;
}

function figures(name: string, { seconds, workers, main }: Report): Figure[] {
  return [
    { name: `${name}, wall`, value: seconds, unit: "s" },
    ...workers.map((rss, i): Figure => ({ name: `${name}, worker process ${i + 1}`, value: rss / 1e6, unit: "MB" })),
    { name: `${name}, client and master`, value: main / 1e6, unit: "MB" },
  ];
}
