/**
 * Runs a command as a process of its own and reads what it says of itself: the last line of its output is a JSON object.
 * CPU time is that of the whole tree of processes, by the shell's `times`, which counts every child that was waited for.
 */
import { spawn } from "node:child_process";
import { highestPeaks, ProcessTree } from "./process-tree.ts";
import type { Line, ProcessPeak, Target } from "./question.ts";

export interface Measured<T> {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly memory: readonly ProcessPeak[];
  readonly report: T;
}

export interface MeasureOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the started process is called where its memory is shown. Default: `client and master`. */
  readonly process?: string;
}

const clock = /(\d+)m([\d.]+)s/g;

/** Throws with its output when the command fails. */
export async function measure<T>(command: readonly string[], options: MeasureOptions = {}): Promise<Measured<T>> {
  const started = performance.now();
  const child = spawn("sh", ["-c", '"$@"; code=$?; times; exit $code', "sh", ...command], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  using tree = new ProcessTree(child.pid ?? 0);
  let output = "";
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  child.stdout.setEncoding("utf8");
  for await (const text of child.stdout) output += text;
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once("exit", resolve)));
  const wallSeconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with exit code ${code}:\n${output}${complaints}`);
  const lines = output.trimEnd().split("\n");
  // `times` prints two lines: the shell's own times, then those of its children.
  const childTimes = [...(lines.pop() ?? "").matchAll(clock)];
  lines.pop();
  const cpuSeconds = childTimes.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
  const last = lines.pop() ?? "";
  const memory = tree.peaks(options.process ?? "client and master");
  return { wallSeconds, cpuSeconds, memory, report: (last.startsWith("{") ? JSON.parse(last) : {}) as T };
}

/** Runs all in turn, A B C A B C …, so that a machine whose speed drifts is fair to each. */
export async function inTurn<T>(runs: number, ...sides: (() => Promise<T>)[]): Promise<T[][]> {
  const results: T[][] = sides.map(() => []);
  for (let i = 0; i < runs; i++) {
    for (const [side, run] of sides.entries()) results[side]?.push(await run());
  }
  return results;
}

/** A script may measure its own work, without the start of Node: `seconds` and `cpuSeconds` of its report, else all of it. */
type Timed = Measured<{ readonly seconds?: number; readonly cpuSeconds?: number }>;

export interface Baseline {
  readonly what: string;
  readonly runs: readonly Timed[];
}

export const secondsOf = (runs: readonly Timed[]): number[] =>
  runs.map(({ report, wallSeconds }) => report.seconds ?? wallSeconds);
export const cpuOf = (runs: readonly Timed[]): number[] => runs.map((run) => run.report.cpuSeconds ?? run.cpuSeconds);

/** The two lines that every question has, `wall` and `cpu`, beside those of the baseline. */
export function timeLines(job: readonly Timed[], baseline?: Baseline, target?: Target): Line[] {
  const beside = (of: (runs: readonly Timed[]) => number[]): Pick<Line, "baseline"> =>
    baseline === undefined ? {} : { baseline: { what: baseline.what, values: of(baseline.runs) } };
  const wall: Line = { name: "wall", unit: "s", values: secondsOf(job), ...beside(secondsOf) };
  return [
    target === undefined ? wall : { ...wall, target },
    { name: "cpu", unit: "s", values: cpuOf(job), ...beside(cpuOf) },
  ];
}

/** The highest peak among processes of one kind (`worker`), one value a run. */
export function peakLine(runs: readonly Measured<unknown>[], kind: string, targetMb?: number): Line {
  const values = runs.map(({ memory }) => Math.max(...memory.filter(({ name }) => isOf(kind, name)).map(megabytesOf)));
  const line: Line = { name: `peak memory, ${kind}`, unit: "MB", values, by: "highest" };
  return targetMb === undefined ? line : { ...line, target: { kind: "max", value: targetMb } };
}

const megabytesOf = ({ megabytes }: ProcessPeak): number => megabytes;
const isOf = (kind: string, name: string): boolean => name === kind || name.startsWith(`${kind} `);

/** The memory of every process over all runs of one job; `part` says which, where a question has several. */
export function memoryOf(runs: readonly Measured<unknown>[], part?: string): ProcessPeak[] {
  const peaks = highestPeaks(runs.map(({ memory }) => memory));
  return part === undefined ? peaks : peaks.map((peak) => ({ ...peak, part }));
}
