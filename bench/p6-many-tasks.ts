import { join } from "node:path";
import { startDaemon } from "./daemon.ts";
import { measure, median } from "./measure.ts";
import type { Question } from "./question.ts";

const fullTasks = 50_000;

export const p6: Question = {
  id: "P6",
  title: "50,000 tiny map tasks, then 8 reduces",
  target: ">= 5,000 tasks/s, master <= 250 MB",
  async run(scale) {
    const tasks = Math.floor(fullTasks * scale.factor);
    const script = join(import.meta.dirname, "jobs/many-tasks.ts");
    const runs = [];
    for (let i = 0; i < scale.runs; i++) {
      runs.push(
        await measure<{ seconds: number; workerRss: number; mainRss: number }>([
          process.execPath,
          script,
          String(tasks),
        ]),
      );
    }
    const remote = await throughDaemon(script, tasks);
    const seconds = median(runs.map(({ report }) => report.seconds));
    return {
      figure: { name: "rate", value: tasks / seconds, unit: "tasks/s" },
      others: [
        { name: "wall", value: seconds, unit: "s" },
        { name: "cpu", value: median(runs.map(({ cpuSeconds }) => cpuSeconds)), unit: "s" },
        {
          name: "peak memory, client and master",
          value: Math.max(...runs.map(({ report }) => report.mainRss)) / 1e6,
          unit: "MB",
        },
        {
          name: "peak memory, worker",
          value: Math.max(...runs.map(({ report }) => report.workerRss)) / 1e6,
          unit: "MB",
        },
        { name: "wall, through a daemon", value: remote.seconds, unit: "s" },
        { name: "peak memory, daemon", value: remote.daemonMb, unit: "MB" },
      ],
    };
  },
};

/** The same job at a daemon, whose memory is the master's and the node's. */
async function throughDaemon(script: string, tasks: number): Promise<{ seconds: number; daemonMb: number }> {
  const daemon = await startDaemon({ DISCO_WORKERS: "2" });
  try {
    const command = [process.execPath, script, String(tasks)];
    const { report } = await measure<{ seconds: number }>(command, { DISCO_MASTER: daemon.address });
    return { seconds: report.seconds, daemonMb: daemon.memory().peak };
  } finally {
    await daemon.stop();
  }
}
