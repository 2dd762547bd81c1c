import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordBytes, sortFile } from "./data.ts";
import { inTurn, measure, memoryOf, peakLine, timeLines } from "./measure.ts";
import type { Question } from "./question.ts";

const fullRecords = 10_000_000;
const limitMegabytes = 256 * 1.048576;

export const p3: Question = {
  id: "P3",
  title: "sort: true, 10 M records of 100 bytes, 10-byte keys, 4 partitions, 256 MB a worker",
  target: "wall ≤ 1.0× of LC_ALL=C sort --parallel=2 -S 512M",
  async run(scale) {
    const records = Math.floor(fullRecords * scale.factor);
    const file = sortFile(records);
    const sorted = join(tmpdir(), "sorted");
    const command = ["sort", "--parallel=2", "-S", "512M", "-T", tmpdir(), "-o", sorted, file];
    const [job = [], sort = []] = await inTurn<Sorted>(
      scale.runs,
      () => measure([process.execPath, join(import.meta.dirname, "jobs/sort.ts"), file]),
      async () => {
        const run = await measure<Report>(command, { env: { LC_ALL: "C" }, process: "sort" });
        rmSync(sorted);
        return run;
      },
    );
    for (const { report } of job) assert.equal(report.records, records, "every record comes out");
    const megabytes = (records * recordBytes) / 1e6;
    return {
      lines: [
        ...timeLines(job, { what: "GNU sort", runs: sort }, { kind: "ratio-max", value: 1 }),
        peakLine(job, "worker", limitMegabytes),
        { name: "throughput", unit: "MB/s", values: job.map(({ report }) => megabytes / (report.seconds ?? 0)) },
      ],
      memory: [...memoryOf(job), ...memoryOf(sort)],
    };
  },
};

interface Report {
  readonly seconds?: number;
  readonly records?: number;
}

type Sorted = Awaited<ReturnType<typeof measure<Report>>>;
