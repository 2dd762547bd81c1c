/**
 * Runs a script as a process of its own and reads what it says of itself: the last line of its output is a JSON object.
 * CPU time is that of the whole tree of processes, by the shell's `times`, which counts every child that was waited for.
 */
import { spawn } from "node:child_process";

export interface Measured<T> {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly report: T;
}

const clock = /(\d+)m([\d.]+)s/g;

export async function measure<T>(command: readonly string[], env: Record<string, string> = {}): Promise<Measured<T>> {
  const started = performance.now();
  const child = spawn("sh", ["-c", '"$@"; code=$?; times; exit $code', "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  for await (const text of child.stdout) output += text;
  const code = child.exitCode ?? (await new Promise<number | null>((resolve) => child.once("exit", resolve)));
  const wallSeconds = (performance.now() - started) / 1000;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with exit code ${code}:\n${output}`);
  const lines = output.trimEnd().split("\n");
  // `times` prints two lines: the shell's own times, then those of its children.
  const childTimes = [...(lines.pop() ?? "").matchAll(clock)];
  lines.pop();
  const cpuSeconds = childTimes.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
  const last = lines.pop() ?? "";
  return { wallSeconds, cpuSeconds, report: (last.startsWith("{") ? JSON.parse(last) : {}) as T };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Runs both in turn, A B A B …, so that a machine whose speed drifts is fair to both, and gives the medians. */
export async function inTurn<A, B>(
  runs: number,
  a: () => Promise<A>,
  b: () => Promise<B>,
): Promise<{ a: A[]; b: B[] }> {
  const result = { a: [] as A[], b: [] as B[] };
  for (let i = 0; i < runs; i++) {
    result.a.push(await a());
    result.b.push(await b());
  }
  return result;
}
