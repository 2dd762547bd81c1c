/** For tests of the core: small job specs and outputs, and a master with nodes that answer as they are told. */
import type { TaskFailure } from "../errors.ts";
import type { Assignment } from "../protocol/messages.ts";
import type { Command, Log } from "./commands.ts";
import type { MasterEvent, NodeJoined } from "./events.ts";
import type { JobMachine } from "./job/machine.ts";
import type { ForeignWorker, Grouping, JobSpec, SchedulerSpec, TaskOutput } from "./job/spec.ts";
import type { MasterOptions } from "./master.ts";
import { MasterMachine } from "./master.ts";
import { validateMaster } from "./validate.ts";

export interface JobSketch {
  readonly inputs?: number;
  /** Where the inputs lie: input n on `hosts[n % length]`. */
  readonly hosts?: readonly (string | null)[];
  readonly pipeline?: readonly Grouping[];
  readonly scheduler?: Partial<SchedulerSpec>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly retries?: number;
  /** All stages but the first run beside those before them. */
  readonly concurrent?: boolean;
  /** It brings its worker along. */
  readonly worker?: ForeignWorker;
}

/** A job of stages `s0`, `s1` …; by default two inputs, split, then grouped by label. */
export function jobSpec(sketch: JobSketch = {}): JobSpec {
  const {
    inputs = 2,
    hosts = [null],
    pipeline = ["split", "group_label"],
    scheduler = {},
    labels = {},
    retries = 3,
    worker,
    concurrent = false,
  } = sketch;
  return {
    prefix: "job",
    owner: "tester",
    inputs: Array.from({ length: inputs }, (_, n) => ({
      label: 0,
      size: 10,
      replicas: [`raw://${n}`],
      hosts: [hosts[n % hosts.length] ?? null],
    })),
    pipeline: pipeline.map((grouping, n) => ({
      name: `s${n}`,
      grouping,
      ...(concurrent && n > 0 ? { concurrent: true as const } : {}),
    })),
    scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false, ...scheduler },
    retries,
    taskTimeoutMs: null,
    memoryLimitBytes: 2 ** 30,
    labels,
    keep: worker !== undefined,
    ...(worker === undefined ? {} : { worker }),
  };
}

export function joined(host: string, offer: Partial<Omit<NodeJoined, "kind" | "host">> = {}): NodeJoined {
  return { kind: "node-joined", at: 0, host, incarnation: "1", slots: 2, queueDepth: 1, labels: {}, ...offer };
}

export function outputOf(
  host: string,
  task: number,
  labels: readonly number[] = [0],
  digest = `digest ${task}`,
): TaskOutput {
  return {
    ref: { host, file: `${host}.seg`, at: task * 100, length: 10, digest },
    labels: labels.map((label) => ({ label, bytes: 100, records: 10 })),
    index: `dir://${host}/${task}`,
    recordsIn: 1,
    recordsOut: 10,
    bytesIn: 10,
    peakRss: 1000,
  };
}

export function failure(code: string, message = "it broke", retry: TaskFailure["retry"] = "here"): TaskFailure {
  return { code, name: "Error", message, retry };
}

/** A running attempt, as its node knows it. */
export interface Run extends Assignment {
  readonly host: string;
}

/** A master, what it commanded, and time that passes by itself: a millisecond an event. */
export class Bench {
  readonly master: MasterMachine;
  readonly commands: Command[] = [];
  readonly events: MasterEvent[] = [];
  /** Attempts that were sent and have not been answered, oldest first. */
  runs: Run[] = [];
  at = 1_000_000;

  constructor(nodes: readonly (string | NodeJoined)[] = ["a"], options: MasterOptions = {}) {
    this.master = new MasterMachine(options);
    for (const node of nodes) this.handle(typeof node === "string" ? joined(node) : node);
  }

  /** Submits a job and returns its name. */
  submit(sketch: JobSketch = {}): string {
    const spec = jobSpec(sketch);
    const job = this.master.nextName(spec.prefix, this.at);
    this.handle({ kind: "job-submitted", at: this.at, job, spec });
    return job;
  }

  /** Lets something happen, then assigns what can be. Checks all invariants. */
  handle(event: MasterEvent): Command[] {
    this.at++;
    this.events.push(event);
    const commands = this.master.handle(event);
    const scheduled = this.master.schedule(this.at);
    if (scheduled !== null) {
      this.events.push(scheduled.event);
      commands.push(...scheduled.commands);
    }
    validateMaster(this.master);
    this.#see(commands);
    return commands;
  }

  /** Lets time pass in which nothing happens, then looks what can start. */
  pass(ms: number): Command[] {
    this.at += ms;
    const scheduled = this.master.schedule(this.at);
    if (scheduled === null) return [];
    this.events.push(scheduled.event);
    validateMaster(this.master);
    this.#see(scheduled.commands);
    return scheduled.commands;
  }

  /** `ranMs`: what the node says of the time it took. */
  done(run: Run, labels?: readonly number[], digest?: string, ranMs?: number): Command[] {
    this.#answered(run);
    const output = outputOf(run.host, run.task, labels, digest);
    // Each attempt writes to a place of its own.
    const ran = ranMs === undefined ? {} : { ranMs };
    const ref = { ...output.ref, at: output.ref.at + run.attempt };
    return this.handle({ kind: "task-done", at: this.at, ...idOf(run), output: { ...output, ref }, ...ran });
  }

  /** The node says that the run began just now. */
  began(run: Run): void {
    this.master.began(run, this.at);
  }

  fail(run: Run, why: TaskFailure): Command[] {
    this.#answered(run);
    return this.handle({ kind: "task-failed", at: this.at, ...idOf(run), failure: why });
  }

  lose(run: Run): Command[] {
    this.#answered(run);
    return this.handle({ kind: "task-lost", at: this.at, ...idOf(run), reason: "its worker vanished" });
  }

  /** The run cannot read the output of a task of the stage before. */
  inputLost(run: Run, task: number): Command[] {
    this.#answered(run);
    const stage = run.stage - 1;
    const ref = this.job(run.job).stages[stage]?.outputs.ref(task);
    if (ref === undefined) throw new Error("there is no such stage");
    return this.handle({
      kind: "input-lost",
      at: this.at,
      ...idOf(run),
      lost: { stage, task, ref },
      failure: failure("data-error"),
    });
  }

  /** Ends all runs well, and those that follow, until nothing runs. */
  finish(labels?: readonly number[]): void {
    for (let run = this.runs[0]; run !== undefined; run = this.runs[0]) this.done(run, labels);
  }

  /** Lets time pass to the next timer that is pending. */
  wake(): void {
    const timer = this.master.timers().sort((a, b) => a.at - b.at)[0];
    if (timer === undefined) throw new Error("no timer is pending");
    this.at = timer.at;
    this.handle({ kind: "timer-fired", at: timer.at, key: timer.key });
  }

  job(name: string): JobMachine {
    const job = this.master.jobs.get(name);
    if (job === undefined) throw new Error(`${name} is not active: ${this.master.info(name)?.reason}`);
    return job;
  }

  /** `stage:task#attempt@host` of all unanswered runs. */
  running(): string[] {
    return this.runs.map(({ stage, task, attempt, host }) => `${stage}:${task}#${attempt}@${host}`);
  }

  /** What the job's log says. */
  log(job: string): string[] {
    return this.commands
      .filter((one): one is Log => one.kind === "log" && one.job === job)
      .map(({ message }) => message);
  }

  #see(commands: readonly Command[]): void {
    for (const command of commands) {
      this.commands.push(command);
      if (command.kind === "assign") {
        for (const assignment of command.assignments) this.runs.push({ ...assignment, host: command.host });
      } else if (command.kind === "cancel") {
        this.runs = this.runs.filter((run) => keyOf(run) !== keyOf(command.id));
      } else if (command.kind === "stop-job") {
        this.runs = this.runs.filter((run) => run.job !== command.job);
      }
    }
  }

  #answered(run: Run): void {
    this.runs = this.runs.filter((one) => one !== run);
  }
}

function idOf({ job, stage, task, attempt }: Run): { job: string; stage: number; task: number; attempt: number } {
  return { job, stage, task, attempt };
}

function keyOf({ job, stage, task, attempt }: { job: string; stage: number; task: number; attempt: number }): string {
  return `${job}/${stage}/${task}/${attempt}`;
}
