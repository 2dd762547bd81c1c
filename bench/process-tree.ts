/**
 * Peak resident memory of every process below this one's child, as the kernel counts it (`VmHWM`), by what the process is. They
 * are looked up a few times a second, so of one that ends the last moments may be missing. Empty where there is no `/proc`.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { ProcessPeak } from "./question.ts";

/** Often enough for processes that live half a second; a look costs about a millisecond, on the cores that are measured. */
const intervalMs = 100;

interface Seen {
  readonly command: string;
  peak: number;
}

export class ProcessTree implements Disposable {
  readonly #root: number;
  readonly #seen = new Map<number, Seen>();
  readonly #timer: NodeJS.Timeout;

  /** Watches all descendants of a process, not that process. */
  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(root), intervalMs);
  }

  /** In megabytes. `main` is the name of the process that runs the measured command; several of one name are numbered. */
  peaks(main: string): ProcessPeak[] {
    this.#look(this.#root);
    const [first, ...rest] = [...this.#seen.values()];
    if (first === undefined) return [];
    const named = [{ name: main, peak: first.peak }];
    for (const { command, peak } of rest) named.push({ name: nameOf(command, { main, command: first.command }), peak });
    return numbered(named.map(({ name, peak }) => ({ name, megabytes: peak / 1e6 })));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(parent: number): void {
    for (const pid of childrenOf(parent)) {
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(contents(`/proc/${pid}/status`))?.[1];
      const command = contents(`/proc/${pid}/cmdline`);
      if (peak !== undefined && command !== "") {
        const before = this.#seen.get(pid);
        // A process that was forked and has not become its own program yet counts as its parent does: not at all.
        if (before?.command === command) before.peak = Math.max(before.peak, Number(peak) * 1024);
        else this.#seen.set(pid, { command, peak: Number(peak) * 1024 });
      }
      this.#look(pid);
    }
  }
}

/** Peaks of several runs as one list: of each name the highest. */
export function highestPeaks(runs: readonly (readonly ProcessPeak[])[]): ProcessPeak[] {
  const peaks = new Map<string, number>();
  for (const { name, megabytes } of runs.flat()) peaks.set(name, Math.max(megabytes, peaks.get(name) ?? 0));
  return [...peaks].map(([name, megabytes]) => ({ name, megabytes }));
}

/** `command`: the arguments with a NUL after each, as in `/proc/PID/cmdline`; `first`: the process that all others are below. */
export function nameOf(command: string, first: { readonly main: string; readonly command: string }): string {
  const script = scriptOf(command);
  if (script === scriptOf(first.command)) return `${first.main}, child`;
  if (/(?:^|\/)worker(?:[/.-]|$)/.test(script)) return "worker";
  return basename(script);
}

/** What a process runs: the script of Node, else the program. */
function scriptOf(command: string): string {
  const [program = "", ...args] = command.split("\0");
  if (!/(?:^|\/)node$/.test(program)) return program;
  return args.find((arg) => arg !== "" && !arg.startsWith("-")) ?? program;
}

/** Those of one name from the highest on: `worker 1`, `worker 2`. */
function numbered(peaks: readonly ProcessPeak[]): ProcessPeak[] {
  const groups = Map.groupBy(peaks, ({ name }) => name);
  return [...groups].flatMap(([name, group]) => {
    if (group.length === 1) return group;
    group.sort((a, b) => b.megabytes - a.megabytes);
    return group.map(({ megabytes }, i) => ({ name: `${name} ${i + 1}`, megabytes }));
  });
}

/** Of the main thread: Node and the shell start processes there, whoever asks for them. */
function childrenOf(pid: number): number[] {
  return contents(`/proc/${pid}/task/${pid}/children`)
    .split(" ")
    .filter((child) => child !== "")
    .map(Number);
}

/** Empty when there is no such file: the process is gone, or this is not Linux. */
function contents(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
