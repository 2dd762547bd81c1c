import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { recordBytes, sortFile } from "./data.ts";
import { inTurn, measure, median } from "./measure.ts";
import type { Question } from "./question.ts";

const fullRecords = 10_000_000;

export const p3: Question = {
  id: "P3",
  title: "sort: true, 10 M records of 100 bytes, 10-byte keys, 4 partitions, 256 MB a worker",
  target: "wall <= 1.0x of LC_ALL=C sort --parallel=2 -S 512M",
  async run(scale) {
    const records = Math.floor(fullRecords * scale.factor);
    const file = sortFile(records);
    const scratch = mkdtempSync(join(import.meta.dirname, "data", "sort-"));
    try {
      const { a: job, b: sort } = await inTurn(
        scale.runs,
        () =>
          measure<{ seconds: number; records: number; workerRss: number; mainRss: number }>([
            process.execPath,
            join(import.meta.dirname, "jobs/sort.ts"),
            file,
          ]),
        () =>
          measure(["sort", "--parallel=2", "-S", "512M", "-T", scratch, "-o", join(scratch, "out"), file], {
            LC_ALL: "C",
          }),
      );
      for (const { report } of job) assert.equal(report.records, records, "every record comes out");
      const jobSeconds = median(job.map(({ report }) => report.seconds));
      const sortSeconds = median(sort.map(({ wallSeconds }) => wallSeconds));
      const peak = (of: "workerRss" | "mainRss") => Math.max(...job.map(({ report }) => report[of])) / 1e6;
      return {
        figure: { name: "wall", value: jobSeconds, unit: "s" },
        baseline: { what: "GNU sort", name: "wall", value: sortSeconds, unit: "s" },
        ratio: jobSeconds / sortSeconds,
        others: [
          { name: "cpu", value: median(job.map(({ cpuSeconds }) => cpuSeconds)), unit: "s" },
          { name: "cpu, GNU sort", value: median(sort.map(({ cpuSeconds }) => cpuSeconds)), unit: "s" },
          { name: "peak memory, worker", value: peak("workerRss"), unit: "MB" },
          { name: "peak memory, client and master", value: peak("mainRss"), unit: "MB" },
          { name: "throughput", value: (records * recordBytes) / 1e6 / jobSeconds, unit: "MB/s" },
        ],
      };
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};
