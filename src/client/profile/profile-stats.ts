/** The profiles of a job's tasks, merged (the seed: what `profile_stats` returns, a `pstats.Stats`). */
import { CallTree } from "../../worker/profile/call-tree.ts";
import { type CpuProfile, cpuProfileOf } from "./cpu-profile.ts";
import { functionsOf, type ProfiledFunction } from "./functions.ts";
import {
  checkPrintOptions,
  duration,
  formatFunctions,
  limitDefault,
  type PrintStatsOptions,
  sorted,
} from "./print-stats.ts";

export interface ProfileParts {
  readonly job: string;
  readonly stages: readonly string[];
  readonly hosts: readonly string[];
  readonly tasks: number;
  readonly intervalMicros: number;
  readonly tree: CallTree;
}

export class ProfileStats {
  /** Name of the job. */
  readonly job: string;
  /** The stages whose tasks are in it. */
  readonly stages: readonly string[];
  /** The nodes where they ran. */
  readonly hosts: readonly string[];
  /** How many tasks. */
  readonly tasks: number;
  readonly samples: number;
  /** Time of all tasks together, in milliseconds. */
  readonly totalMs: number;
  /** Between two samples. */
  readonly intervalMicros: number;
  readonly #tree: CallTree;
  #functions: readonly ProfiledFunction[] | undefined;

  /** @internal Those of several jobs as if they were one. */
  static merged(all: readonly ProfileStats[], job: string): ProfileStats {
    const tree = new CallTree();
    for (const stats of all) tree.merge(stats.#tree);
    return new ProfileStats({
      job,
      stages: [...new Set(all.flatMap(({ stages }) => stages))],
      hosts: [...new Set(all.flatMap(({ hosts }) => hosts))].sort(),
      tasks: all.reduce((sum, { tasks }) => sum + tasks, 0),
      intervalMicros: Math.max(0, ...all.map((stats) => stats.intervalMicros)),
      tree,
    });
  }

  /** @internal */
  constructor({ job, stages, hosts, tasks, intervalMicros, tree }: ProfileParts) {
    this.job = job;
    this.stages = stages;
    this.hosts = hosts;
    this.tasks = tasks;
    this.intervalMicros = intervalMicros;
    this.#tree = tree;
    this.samples = tree.samples.reduce((sum, count) => sum + count, 0);
    this.totalMs = (tree.totals()[0] as number) / 1000;
  }

  /** Time by function, the one with the most time of its own first. */
  get functions(): readonly ProfiledFunction[] {
    this.#functions ??= sorted(functionsOf(this.#tree), "self");
    return this.#functions;
  }

  /**
   * Prints a table by function: time in the function itself, time with all that it called (recursion counted once), and where
   * it is.
   * @throws JobError `bad-option`
   */
  printStats(options: PrintStatsOptions = {}): this {
    checkPrintOptions(options);
    const { sort = "self", limit = limitDefault, stream = process.stdout } = options;
    const lines = [this.summary, "", ...formatFunctions(sorted(this.functions, sort), limit)];
    stream.write(`${lines.join("\n")}\n`);
    return this;
  }

  /** One line: what was recorded. */
  get summary(): string {
    const count = (n: number, what: string): string => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`;
    const stages = this.stages.join(" and ");
    return `${this.job}: ${count(this.tasks, "task")} of ${stages}, ${duration(this.totalMs)} in ${count(this.samples, "sample")}`;
  }

  /**
   * The merged calls in the standard format, as JSON to be written to a `.cpuprofile` file: Chrome's DevTools and speedscope
   * open it.
   */
  toCpuProfile(): CpuProfile {
    return cpuProfileOf(this.#tree);
  }

  /** What `JSON.stringify` gives: all functions, and what was recorded. */
  toJSON(): object {
    const { job, stages, hosts, tasks, samples, totalMs, intervalMicros, functions } = this;
    return { job, stages, hosts, tasks, samples, totalMs, intervalMicros, functions };
  }

  /** The same as `toCpuProfile()`. */
  get cpuprofile(): CpuProfile {
    return this.toCpuProfile();
  }
}
