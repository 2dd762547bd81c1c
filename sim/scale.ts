/**
 * P7: the scheduler and the job machine at scale, without anything around them. `node sim/scale.ts [tasks] [nodes] [jobs]`
 * runs map tasks, then reduces, to their end and prints the cost of one decision (a start or an end of a task), at last as JSON.
 */
import type { Command } from "../src/core/commands.ts";
import type { MasterEvent } from "../src/core/events.ts";
import type { JobSpec, TaskOutput } from "../src/core/job/spec.ts";
import { MasterMachine } from "../src/core/master.ts";
import type { Assignment, AttemptId } from "../src/protocol/messages.ts";

const slots = 4;
const queueDepth = 2;
const labels = 8;
const none = null;

export interface ScaleResult {
  /** Starts and ends of tasks. */
  readonly decisions: number;
  /** Wall time, all that happened divided by the decisions: nodes that join and jobs that begin and end included. */
  readonly microsPerDecision: number;
  /** The same in CPU time of the thread, without that of the garbage collector's own threads. */
  readonly cpuMicrosPerDecision: number;
  readonly heapMb: number;
}

export function runScale(tasks: number, nodes: number, jobs: number): ScaleResult {
  const master = new MasterMachine();
  const queue: (Assignment | typeof none)[] = [];
  const hosts: string[] = [];
  let at = 1_700_000_000_000;
  let decisions = 0;
  const carryOut = (commands: readonly Command[]): void => {
    for (const command of commands) {
      if (command.kind !== "assign") continue;
      for (const assignment of command.assignments) {
        queue.push(assignment);
        hosts.push(command.host);
      }
    }
  };
  const handle = (event: MasterEvent): void => {
    carryOut(master.handle(event));
    const scheduled = master.schedule(at);
    if (scheduled === null) return;
    decisions += scheduled.event.tasks.length;
    carryOut(scheduled.commands);
  };
  const specs = Array.from({ length: jobs }, (_, n) => specOf(Math.ceil(tasks / jobs), nodes, n));
  const cpuBegan = process.threadCpuUsage();
  const began = performance.now();
  for (let n = 0; n < nodes; n++) {
    handle({ kind: "node-joined", at, host: `node${n}`, incarnation: "1", slots, queueDepth, labels: {} });
  }
  for (const spec of specs) handle({ kind: "job-submitted", at, job: master.nextName(spec.prefix, at), spec });
  for (let next = 0; next < queue.length; next++) {
    const assignment = queue[next] as Assignment;
    const host = hosts[next] as string;
    // What has been dealt with is let go: kept, it would grow old, and moving it would be what collecting garbage costs.
    queue[next] = none;
    at++;
    decisions++;
    handle({ kind: "task-done", at, ...idOf(assignment), output: outputOf(assignment, host) });
    if (next === 100_000) {
      queue.splice(0, next + 1);
      hosts.splice(0, next + 1);
      next = -1;
    }
  }
  const ms = performance.now() - began;
  if (master.jobs.size > 0) throw new Error(`${master.jobs.size} jobs did not end`);
  const cpu = process.threadCpuUsage(cpuBegan);
  return {
    decisions,
    microsPerDecision: (ms * 1000) / decisions,
    cpuMicrosPerDecision: (cpu.user + cpu.system) / decisions,
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
  };
}

export function specOf(tasks: number, nodes: number, job: number): JobSpec {
  const inputs = Array.from({ length: tasks }, (_, i) => {
    const host = `node${(i * 7 + job) % nodes}`;
    return { label: 0, size: 1_000_000, replicas: [`disco://${host}/blob${i}`], hosts: [host] };
  });
  return {
    prefix: "scale",
    owner: "sim",
    inputs,
    pipeline: [
      { name: "map", grouping: "split" },
      { name: "reduce", grouping: "group_label" },
    ],
    scheduler: { maxCores: 2 ** 31, forceLocal: false, forceRemote: false },
    retries: 3,
    taskTimeoutMs: null,
    memoryLimitBytes: 2 ** 30,
    labels: {},
    keep: false,
  };
}

export function idOf({ job, stage, task, attempt }: AttemptId): {
  job: string;
  stage: number;
  task: number;
  attempt: number;
} {
  return { job, stage, task, attempt };
}

export function outputOf({ stage, task, attempt }: Assignment, host: string): TaskOutput {
  const sizes = Array.from({ length: stage === 0 ? labels : 1 }, (_, label) => ({ label, bytes: 1000, records: 10 }));
  return {
    ref: { host, file: `${host}/seg`, at: task * 4096, length: 200, digest: `${stage}-${task}-${attempt}` },
    labels: sizes,
    recordsIn: 100,
    recordsOut: 80,
    bytesIn: 1_000_000,
    peakRss: 1,
    ...(stage === 1 ? { index: `dir://${host}/${task}` } : {}),
  };
}

if (import.meta.main) {
  const [tasks = 1_000_000, nodes = 1_000, jobs = 1] = process.argv.slice(2).map(Number);
  const result = runScale(tasks, nodes, jobs);
  const { decisions, microsPerDecision, cpuMicrosPerDecision, heapMb } = result;
  console.log(
    `${tasks} tasks, ${nodes} nodes, ${jobs} jobs: ${decisions} decisions, ` +
      `${microsPerDecision.toFixed(2)} µs each (CPU ${cpuMicrosPerDecision.toFixed(2)}), heap ${heapMb.toFixed(0)} MB`,
  );
  console.log(JSON.stringify(result));
}
