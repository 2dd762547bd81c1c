/** The list of 10,000 jobs under load: `wrk` asks a daemon for it as fast as it is answered. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeJobHistory } from "./job-history.ts";
import { median } from "./measure.ts";
import { type Answer, type Question, type Scale, Skipped } from "./question.ts";

const fullJobs = 10_000;
const connections = 16;
const fullSeconds = 5;
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
    const daemon = await startDaemon(folder);
    try {
      const began = memory(daemon.pid).now;
      const answer = await fetch(`${daemon.url}/disco/ctrl/joblist`);
      const bytes = (await answer.arrayBuffer()).byteLength;
      const list: Load[] = [];
      for (let i = 0; i < runs; i++) list.push(await wrk(`${daemon.url}/disco/ctrl/joblist`, seconds));
      const version: Load[] = [];
      for (let i = 0; i < runs; i++) version.push(await wrk(`${daemon.url}/disco/version`, seconds));
      const { now, peak } = memory(daemon.pid);
      const rate = median(list.map(({ perSecond }) => perSecond));
      const errors = [...list, ...version].reduce((sum, one) => sum + one.errors, 0);
      if (errors > 0) throw new Error(`${errors} requests failed`);
      return {
        figure: { name: "rate", value: rate, unit: "requests/s" },
        others: [
          { name: "99 % within", value: median(list.map(({ p99Ms }) => p99Ms)), unit: "ms" },
          { name: "sent", value: (rate * bytes) / 1e6, unit: "MB/s" },
          { name: "size of the list", value: bytes / 1e6, unit: "MB" },
          {
            name: "rate of the smallest answer",
            value: median(version.map((one) => one.perSecond)),
            unit: "requests/s",
          },
          { name: "memory, master, before", value: began / 1e6, unit: "MB" },
          { name: "memory, master, after", value: now / 1e6, unit: "MB" },
          { name: "peak memory, master", value: peak / 1e6, unit: "MB" },
        ],
      };
    } finally {
      const ended = once(daemon.child, "close");
      daemon.child.kill("SIGTERM");
      await ended;
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

interface StartedDaemon {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
}

async function startDaemon(root: string): Promise<StartedDaemon> {
  const command = join(import.meta.dirname, "../bin/disco.js");
  const child = spawn(process.execPath, [command, "start", "--foreground", "--port", "0"], {
    env: { ...process.env, DISCO_ROOT: root, DISCO_CONFIG: "none", DISCO_TOKEN: "", DISCO_WORKERS: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = once(child, "close").then(() => Promise.reject(new Error(`the daemon ended:\n${output}`)));
  ended.catch(() => undefined);
  const serving = /"url":"(http:[^"]+)","msg":"serving"/;
  while (!serving.test(output)) await Promise.race([once(child.stdout, "data"), ended]);
  return { child, pid: child.pid ?? 0, url: serving.exec(output)?.[1] ?? "" };
}

/** Bytes. */
function memory(pid: number): { now: number; peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024;
  return { now: of("VmRSS"), peak: of("VmHWM") };
}

export const p12: Question = {
  id: "P12",
  title: "16 clients ask for the list of 10,000 jobs",
  target: "no error, master <= 250 MB",
  run: load,
};
