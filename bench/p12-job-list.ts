/** The list of 10,000 jobs under load: `wrk` asks a daemon for it as fast as it is answered. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startDaemon } from "./daemon.ts";
import { writeJobHistory } from "./job-history.ts";
import { type Answer, type Question, type Scale, Skipped } from "./question.ts";

const fullJobs = 10_000;
const connections = 16;
const fullSeconds = 5;
const masterMegabytesMax = 250;
const run = promisify(execFile);

interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly errors: number;
}

async function load({ factor, runs }: Scale): Promise<Answer> {
  await run("wrk", ["-v"]).catch((error: NodeJS.ErrnoException) => {
    // It prints its version and ends with 1.
    if (error.code === "ENOENT") throw new Skipped("wrk is not installed (apt-get install wrk)");
  });
  const folder = await mkdtemp(join(tmpdir(), "disco-bench-"));
  const seconds = Math.max(1, Math.round(fullSeconds * Math.min(1, factor)));
  try {
    writeJobHistory(folder, Math.ceil(fullJobs * factor));
    const daemon = await startDaemon({ DISCO_WORKERS: "1" }, folder);
    try {
      const before = daemon.memory().now;
      const answer = await fetch(`${daemon.url}/disco/ctrl/joblist`);
      const bytes = (await answer.arrayBuffer()).byteLength;
      const list: Load[] = [];
      for (let i = 0; i < runs; i++) list.push(await wrk(`${daemon.url}/disco/ctrl/joblist`, seconds));
      const version: Load[] = [];
      for (let i = 0; i < runs; i++) version.push(await wrk(`${daemon.url}/disco/version`, seconds));
      const { now, peak } = daemon.memory();
      const errors = [...list, ...version].reduce((sum, one) => sum + one.errors, 0);
      if (errors > 0) throw new Error(`${errors} requests failed`);
      return {
        lines: [
          { name: "rate", unit: "requests/s", values: list.map(({ perSecond }) => perSecond) },
          { name: "99 % within", unit: "ms", values: list.map(({ p99Ms }) => p99Ms) },
          { name: "sent", unit: "MB/s", values: list.map(({ perSecond }) => (perSecond * bytes) / 1e6) },
          { name: "size of the list", unit: "MB", values: [bytes / 1e6] },
          { name: "rate of the smallest answer", unit: "requests/s", values: version.map((one) => one.perSecond) },
          { name: "memory, master, before", unit: "MB", values: [before] },
          { name: "memory, master, after", unit: "MB", values: [now] },
          {
            name: "peak memory, master",
            unit: "MB",
            values: [peak],
            target: { kind: "max", value: masterMegabytesMax },
          },
        ],
        memory: [{ name: "daemon", megabytes: peak }],
      };
    } finally {
      await daemon.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function wrk(url: string, seconds: number): Promise<Load> {
  const { stdout } = await run("wrk", ["-t1", `-c${connections}`, `-d${seconds}`, "--latency", url]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
  const [, p99 = "", unit = ""] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const broken = [...(/Socket errors: (.*)/.exec(stdout)?.[1]?.matchAll(/\d+/g) ?? [])];
  if (!(rate > 0)) throw new Error(stdout);
  return {
    perSecond: rate,
    p99Ms: Number(p99) * (unit === "us" ? 0.001 : unit === "s" ? 1_000 : 1),
    errors: bad + broken.reduce((sum, [count]) => sum + Number(count), 0),
  };
}

export const p12: Question = {
  id: "P12",
  title: "16 clients ask for the list of 10,000 jobs",
  target: "no error, master ≤ 250 MB",
  run: load,
};
