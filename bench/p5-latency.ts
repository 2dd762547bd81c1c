import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure, median } from "./measure.ts";
import type { Question } from "./question.ts";

const here = import.meta.dirname;
/** Jobs with code of their own. */
const otherJobs = 12;
/** The first jobs of an engine start its workers: they are not what a warm engine does. */
const warmUps = 5;

export const p5: Question = {
  id: "P5",
  title: "trivial job, one raw:// input, map and reduce: submit -> ready, embedded and warm",
  target: "<= 10 ms warm, cold `disco run` <= 0.6 s",
  async run(scale) {
    const root = mkdtempSync(join(tmpdir(), "disco-bench-"));
    try {
      const jobs = Math.max(10, Math.floor(200 * scale.factor));
      const warm = await measure<{ latenciesMs: number[]; newCodeMs: number[] }>(
        [process.execPath, join(here, "jobs/trivial.ts"), String(jobs + warmUps), String(otherJobs)],
        { DISCO_ROOT: root },
      );
      const newCode = median(warm.report.newCodeMs.slice(1));
      const latencies = warm.report.latenciesMs.slice(warmUps).sort((a, b) => a - b);
      const cold: number[] = [];
      for (let i = 0; i < Math.max(3, scale.runs); i++) {
        const disco = join(here, "../bin/disco.js");
        const run = await measure([process.execPath, disco, "run", join(here, "jobs/trivial-run.ts"), "--json"], {
          DISCO_ROOT: root,
        });
        cold.push(run.wallSeconds);
      }
      return {
        figure: { name: "median, same code again", value: median(latencies), unit: "ms" },
        others: [
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
