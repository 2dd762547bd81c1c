import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { measure } from "./measure.ts";
import type { Question } from "./question.ts";

const script = join(import.meta.dirname, "jobs/many-jobs.ts");
const fullJobs = 1_000;
const jobsMin = 20;

interface Report {
  readonly acceptedSeconds: number;
  readonly readySeconds: number;
}

export const p13: Question = {
  id: "P13",
  title: "1,000 small jobs submitted at once to a daemon, by one client and by eight",
  target: "all end",
  async run(scale) {
    const jobs = Math.max(jobsMin, Math.floor(fullJobs * scale.factor));
    const daemon = await startDaemon();
    try {
      const run = (clients: number): Promise<{ report: Report }> =>
        measure<Report>([process.execPath, script, String(jobs), String(clients)], {
          env: { DISCO_MASTER: daemon.address },
        });
      const one = (await run(1)).report;
      const { now } = daemon.memory();
      const eight = (await run(8)).report;
      const { peak } = daemon.memory();
      return {
        lines: [
          { name: "all ready, one client", unit: "s", values: [one.readySeconds] },
          { name: "all accepted, one client", unit: "s", values: [one.acceptedSeconds] },
          { name: "all ready, eight clients", unit: "s", values: [eight.readySeconds] },
          { name: "all accepted, eight clients", unit: "s", values: [eight.acceptedSeconds] },
          { name: "memory of the daemon, after one client", unit: "MB", values: [now] },
        ],
        memory: [{ name: "daemon", megabytes: peak }],
      };
    } finally {
      await daemon.stop();
    }
  },
};
