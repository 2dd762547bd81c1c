import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { measure } from "./measure.ts";
import type { Figure, Question } from "./question.ts";

const script = join(import.meta.dirname, "jobs/many-jobs.ts");

interface Report {
  readonly acceptedSeconds: number;
  readonly readySeconds: number;
}

export const p13: Question = {
  id: "P13",
  title: "1,000 small jobs submitted at once to a daemon, by one client and by eight",
  target: "all end",
  async run(scale) {
    const jobs = Math.max(20, Math.floor(1_000 * scale.factor));
    const daemon = await startDaemon();
    try {
      const run = (clients: number): Promise<{ report: Report }> =>
        measure<Report>([process.execPath, script, String(jobs), String(clients)], { DISCO_MASTER: daemon.address });
      const one = (await run(1)).report;
      const memory = daemon.memory();
      const eight = (await run(8)).report;
      const others: Figure[] = [
        { name: "all accepted, one client", value: one.acceptedSeconds, unit: "s" },
        { name: "all ready, eight clients", value: eight.readySeconds, unit: "s" },
        { name: "all accepted, eight clients", value: eight.acceptedSeconds, unit: "s" },
        { name: "memory of the daemon, after", value: memory.now, unit: "MB" },
        { name: "memory of the daemon, peak", value: daemon.memory().peak, unit: "MB" },
      ];
      return { figure: { name: "all ready, one client", value: one.readySeconds, unit: "s" }, others };
    } finally {
      await daemon.stop();
    }
  },
};
