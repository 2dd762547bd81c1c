import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { type Measured, measure, memoryOf, peakLine, timeLines } from "./measure.ts";
import type { Question } from "./question.ts";

const fullTasks = 50_000;
const masterMegabytesMax = 250;
const tasksPerSecondMin = 5_000;

interface Report {
  readonly seconds: number;
}

/** The job of so many map tasks in an engine of its own. */
export const manyTasks = (tasks: number, env: Record<string, string> = {}): Promise<Measured<Report>> =>
  measure([process.execPath, join(import.meta.dirname, "jobs/many-tasks.ts"), String(tasks)], { env });

export const p6: Question = {
  id: "P6",
  title: "50,000 tiny map tasks, then 8 reduces",
  target: "≥ 5,000 tasks/s, master ≤ 250 MB, no step that grows faster than the number of tasks (GROWTH)",
  async run(scale) {
    const tasks = Math.max(100, Math.floor(fullTasks * scale.factor));
    const embedded: Measured<Report>[] = [];
    const remote: Measured<Report>[] = [];
    const daemonPeaks: number[] = [];
    for (let i = 0; i < scale.runs; i++) {
      embedded.push(await manyTasks(tasks));
      const daemon = await startDaemon({ DISCO_WORKERS: "2" });
      try {
        remote.push(await manyTasks(tasks, { DISCO_MASTER: daemon.address }));
        daemonPeaks.push(daemon.memory().peak);
      } finally {
        await daemon.stop();
      }
    }
    const rate = (runs: readonly Measured<Report>[]): number[] => runs.map(({ report }) => tasks / report.seconds);
    return {
      lines: [
        { name: "rate", unit: "tasks/s", values: rate(embedded), target: { kind: "min", value: tasksPerSecondMin } },
        ...timeLines(embedded),
        peakLine(embedded, "client and master", masterMegabytesMax),
        peakLine(embedded, "worker"),
        { name: "rate, through a daemon", unit: "tasks/s", values: rate(remote) },
        {
          name: "peak memory, daemon",
          unit: "MB",
          values: daemonPeaks,
          by: "highest",
          target: { kind: "max", value: masterMegabytesMax },
        },
      ],
      memory: memoryOf(embedded),
    };
  },
};
