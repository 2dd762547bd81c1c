import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { type Measured, measure, median } from "./measure.ts";
import type { Question } from "./question.ts";

const here = import.meta.dirname;
/** Jobs with code of their own. */
const otherJobs = 12;
/** The first jobs of an engine start its workers: they are not what a warm engine does. */
const warmUps = 5;

interface Latencies {
  readonly latenciesMs: number[];
  readonly newCodeMs: number[];
}

export const p5: Question = {
  id: "P5",
  title:
    "trivial job, one raw:// input, map and reduce: submit -> ready, embedded and warm; and through a daemon's HTTP",
  target: "<= 10 ms warm, <= 20 ms through HTTP, cold `disco run` <= 0.6 s",
  async run(scale) {
    const root = mkdtempSync(join(tmpdir(), "disco-bench-"));
    try {
      const jobs = Math.max(10, Math.floor(200 * scale.factor));
      const run = (env: Record<string, string>): Promise<Measured<Latencies>> =>
        measure([process.execPath, join(here, "jobs/trivial.ts"), String(jobs + warmUps), String(otherJobs)], env);
      const warm = await run({ DISCO_ROOT: root, DISCO_MASTER: "" });
      const daemon = await startDaemon({ DISCO_WORKERS: "2" });
      let overHttp: Measured<Latencies>;
      try {
        overHttp = await run({ DISCO_MASTER: daemon.address });
      } finally {
        await daemon.stop();
      }
      const httpLatencies = overHttp.report.latenciesMs.slice(warmUps);
      const newCode = median(warm.report.newCodeMs.slice(1));
      const latencies = warm.report.latenciesMs.slice(warmUps).sort((a, b) => a - b);
      const cold: number[] = [];
      for (let i = 0; i < Math.max(3, scale.runs); i++) {
        const disco = join(here, "../bin/disco.js");
        const run = await measure([process.execPath, disco, "run", join(here, "jobs/trivial-run.ts"), "--json"], {
          DISCO_ROOT: root,
          DISCO_MASTER: "",
        });
        cold.push(run.wallSeconds);
      }
      return {
        figure: { name: "median, same code again", value: median(latencies), unit: "ms" },
        others: [
          { name: "median, through HTTP", value: median(httpLatencies), unit: "ms" },
          { name: "median, through HTTP, new code", value: median(overHttp.report.newCodeMs.slice(1)), unit: "ms" },
          { name: "median, new code, spare ready", value: newCode, unit: "ms" },
          { name: "95th percentile", value: latencies[Math.floor(latencies.length * 0.95)] ?? Number.NaN, unit: "ms" },
          { name: "first job of a process", value: warm.report.latenciesMs[0] ?? Number.NaN, unit: "ms" },
          { name: "cold disco run", value: median(cold), unit: "s" },
        ],
      };
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
};
