/** `bench/results.json`: of every question its latest answer, with when, where and of what it was measured. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import type { Answer, ProcessPeak, Question, Scale } from "./question.ts";
import { type Summary, summarize } from "./statistics.ts";

export interface Machine {
  readonly node: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
}

export interface Circumstances extends Scale {
  /** `package`: built and as npm installs it; `source`: from the sources of this checkout. */
  readonly from: "package" | "source";
  /** Of the command. */
  readonly args: readonly string[];
}

export interface Recorded extends Circumstances {
  readonly title: string;
  readonly target: string;
  /** ISO. */
  readonly date: string;
  /** Short hash, with `+` where files were changed since; empty outside of git. */
  readonly commit: string;
  readonly machine: Machine;
  readonly lines: readonly Summary[];
  readonly memory: readonly ProcessPeak[];
}

export type Results = Readonly<Record<string, Recorded>>;

/** Runs on other amounts of data have a file of their own: they say nothing about the targets. */
export function resultsFile(factor = 1): string {
  return join(import.meta.dirname, factor === 1 ? "results.json" : `results-${factor}.json`);
}

/** Empty when there is none. */
export function readResults(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : {};
}

/** Puts an answer into the file in the place of the one before; those of other questions stay. */
export function record(
  file: string,
  question: Pick<Question, "id" | "title" | "target">,
  answer: Answer,
  circumstances: Circumstances,
): Recorded {
  const recorded: Recorded = {
    title: question.title,
    target: question.target,
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    ...circumstances,
    lines: answer.lines.map((line) => summarize(line, circumstances.factor === 1)),
    memory: answer.memory,
  };
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify({ ...readResults(file), [question.id]: recorded }, null, 2)}\n`);
  renameSync(partial, file);
  return recorded;
}

export function machine(): Machine {
  const cpu = cpus()[0]?.model ?? "unknown";
  return { node: process.version, cpu, cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9) };
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: import.meta.dirname,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain") === "" ? "" : "+");
  } catch {
    return "";
  }
}
