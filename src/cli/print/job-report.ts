/** How a job is reported at the end: for people as two lines, for programs as a part of the JSON document. */
import type { JobInfo } from "../../client/master-api.ts";
import { formatBytes, formatCount, formatRate, formatSeconds, isRateWorthShowing } from "../progress/quantity.ts";

/** The shape of one of `jobs` in the JSON output. Times in milliseconds since 1970, sizes in bytes. */
export interface JobReport {
  readonly name: string;
  /** The program that the job brings along, by its path among the job's files. Absent: a worker of this package. */
  readonly worker?: string;
  readonly status: "active" | "ready" | "dead";
  readonly submittedAt: number;
  readonly endedAt: number | null;
  readonly seconds: number;
  readonly bytesIn: number;
  readonly bytesPerSecond: number;
  /** Of a job with a worker of its own: files. */
  readonly recordsOut: number;
  readonly peakRss: number;
  readonly reason: string | null;
  readonly stages: readonly StageReport[];
  readonly results: readonly string[];
}

export interface StageReport {
  readonly stage: string;
  readonly tasks: number;
  readonly done: number;
  readonly failed: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
}

export function reportJob(info: JobInfo): JobReport {
  const seconds = ((info.endedAt ?? Date.now()) - info.submittedAt) / 1000;
  const bytesIn = info.stages[0]?.bytesIn ?? 0;
  return {
    name: info.name,
    ...(info.worker === undefined ? {} : { worker: info.worker }),
    status: info.status,
    submittedAt: info.submittedAt,
    endedAt: info.endedAt,
    seconds,
    bytesIn,
    bytesPerSecond: seconds > 0 ? Math.round(bytesIn / seconds) : 0,
    recordsOut: info.stages.at(-1)?.recordsOut ?? 0,
    peakRss: info.peakRss,
    reason: info.reason,
    stages: info.stages.map(({ stage, tasks, done, failed, recordsIn, recordsOut, bytesIn: bytes }) => {
      return { stage, tasks, done, failed, recordsIn, recordsOut, bytesIn: bytes };
    }),
    results: info.results,
  };
}

/** `2.1 s, 76.8 MB read, 36.6 MB/s, 41,310 results`. */
export function summarizeJob(info: JobInfo): string {
  const report = reportJob(info);
  const read = report.bytesIn > 0 ? [`${formatBytes(report.bytesIn)} read`] : [];
  if (isRateWorthShowing(report.bytesPerSecond)) read.push(formatRate(report.bytesPerSecond));
  // Workers that jobs bring along do not count records: their results are files.
  const what = info.worker === undefined ? "result" : "output";
  const results = `${formatCount(report.recordsOut)} ${report.recordsOut === 1 ? what : `${what}s`}`;
  return [formatSeconds(report.seconds), ...read, results].join(", ");
}
