import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { type Measured, measure, memoryOf } from "./measure.ts";
import { discoCommand } from "./package-command.ts";
import type { Answer, Line, Question, Scale } from "./question.ts";
import { median } from "./statistics.ts";

const here = import.meta.dirname;
const fullJobs = 200;
/** Jobs with code of their own, at most; at least three. */
const fullOtherJobs = 12;
/** The first jobs of an engine start its workers: they are not what a warm engine does. */
const warmUps = 5;
/** A run, of commands; the smoke run is content with one. */
const fullColdRuns = 3;
const embeddedMsMax = 10;
const httpMsMax = 20;
const coldSecondsMax = 0.6;

interface Latencies {
  readonly latenciesMs: number[];
  readonly newCodeMs: number[];
}

async function run({ factor, runs }: Scale): Promise<Answer> {
  const jobs = Math.max(10, Math.floor(fullJobs * factor));
  const otherJobs = Math.max(3, Math.min(fullOtherJobs, Math.floor(fullOtherJobs * factor)));
  const command = [process.execPath, join(here, "jobs/trivial.ts"), String(jobs + warmUps), String(otherJobs)];
  const embedded: Measured<Latencies>[] = [];
  const remote: Measured<Latencies>[] = [];
  const cold: Measured<unknown>[] = [];
  for (let i = 0; i < runs; i++) {
    embedded.push(await measure<Latencies>(command));
    const daemon = await startDaemon({ DISCO_WORKERS: "2" });
    try {
      remote.push(await measure<Latencies>(command, { env: { DISCO_MASTER: daemon.address }, process: "client" }));
    } finally {
      await daemon.stop();
    }
    for (let j = 0; j < (factor < 1 ? 1 : fullColdRuns); j++) {
      const trivial = [process.execPath, discoCommand, "run", join(here, "jobs/trivial-run.ts"), "--json"];
      cold.push(await measure(trivial, { process: "disco run" }));
    }
  }
  return {
    lines: [
      medians("same code again", embedded, warm, embeddedMsMax),
      medians("new code, spare ready", embedded, newCode, embeddedMsMax),
      medians("same code, through HTTP", remote, warm, httpMsMax),
      medians("new code, through HTTP", remote, newCode, httpMsMax),
      {
        name: "cold disco run",
        unit: "s",
        values: cold.map(({ wallSeconds }) => wallSeconds),
        target: { kind: "max", value: coldSecondsMax },
      },
      { name: "cold disco run: cpu", unit: "s", values: cold.map(({ cpuSeconds }) => cpuSeconds) },
      {
        name: "95th percentile, same code",
        unit: "ms",
        values: embedded.map(({ report }) => quantile(warm(report), 0.95)),
      },
      { name: "first job of a process", unit: "ms", values: embedded.map(({ report }) => report.latenciesMs[0] ?? 0) },
      { name: "cpu, embedded", unit: "s", values: embedded.map(({ cpuSeconds }) => cpuSeconds) },
    ],
    memory: [...memoryOf(embedded, "embedded"), ...memoryOf(remote, "through HTTP"), ...memoryOf(cold, "cold")],
  };
}

const warm = ({ latenciesMs }: Latencies): number[] => latenciesMs.slice(warmUps);
const newCode = ({ newCodeMs }: Latencies): number[] => newCodeMs.slice(1);

function medians(
  name: string,
  runs: readonly Measured<Latencies>[],
  of: (l: Latencies) => number[],
  max: number,
): Line {
  return {
    name,
    unit: "ms",
    values: runs.map(({ report }) => median(of(report))),
    target: { kind: "max", value: max },
  };
}

function quantile(values: readonly number[], share: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

export const p5: Question = {
  id: "P5",
  title:
    "trivial job, one raw:// input, map and reduce: submit → ready, embedded and warm; through a daemon's HTTP; cold",
  target: "≤ 10 ms embedded and warm, ≤ 20 ms through HTTP, cold `disco run` ≤ 0.6 s",
  run,
};
