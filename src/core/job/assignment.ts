/** Begins an attempt. What its node has to know is made at that moment: the best replica is the one that is best now. */
import type { Assignment } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";
import type { AssignedTask } from "../events.ts";
import type { Cluster } from "../scheduler/cluster.ts";
import { impossible } from "./impossible.ts";
import type { JobMachine } from "./machine.ts";
import type { InputSpec, TaskInput } from "./spec.ts";
import type { Stage } from "./stage.ts";
import { running, waiting } from "./stage.ts";
import { texts } from "./texts.ts";

/** Makes an attempt live. @throws DiscoError `impossible` if the task does not wait (or run), or the number is not its turn */
export function assign(job: JobMachine, task: AssignedTask, at: number): { assignment: Assignment; log: Command } {
  const stage = job.stages[task.stage];
  if (job.status !== "active" || stage === undefined || task.task >= stage.tasks)
    throw impossible(task, stage, "is not there");
  const state = stage.state(task.task);
  if (state !== waiting && state !== running) throw impossible(task, stage, "does not wait");
  if (task.attempt !== stage.nextAttempt(task.task)) throw impossible(task, stage, "got an attempt number out of turn");
  const { attempt, host } = task;
  const isExtra = state === running;
  job.cluster.occupy(host, stage.awaitsInput);
  stage.addAttempt(task.task, { attempt, host, at, ...(isExtra ? { speculative: true } : {}) });
  if (isExtra) stage.startedAgain.add(task.task);
  job.hosts.add(host);
  job.live++;
  const title = job.title(stage, task.task);
  const log = isExtra
    ? job.out.line(at, texts.startedAgain(title, host, task.slow), "warning", null, title)
    : job.out.line(at, texts.assigned(title, host), "info", null, title);
  return { assignment: assignmentOf(job, stage, task), log };
}

function assignmentOf(job: JobMachine, stage: Stage, { task, attempt, host }: AssignedTask): Assignment {
  const group = stage.group(task);
  return {
    job: job.name,
    stage: stage.number,
    task,
    attempt,
    epoch: job.cluster.epoch,
    stageName: stage.spec.name,
    group: { label: group.label, host: group.host },
    input: inputOf(job, stage, task, host),
    taskTimeoutMs: job.spec.taskTimeoutMs,
    memoryLimitBytes: job.spec.memoryLimitBytes,
    ...foreignOf(job, stage, task),
  };
}

/** What the worker is told of, where it is the job's own. */
function foreignOf({ spec, stages }: JobMachine, stage: Stage, task: number): Pick<Assignment, "foreign"> {
  if (spec.worker === undefined) return {};
  const { worker } = spec;
  const { grouping } = stage.spec;
  // Unique, also while stages still get tasks.
  if (spec.pipeline.some(({ concurrent }) => concurrent === true))
    return { foreign: { worker: worker.path, grouping, taskId: task * spec.pipeline.length + stage.number } };
  let earlier = 0;
  for (let number = 0; number < stage.number; number++) earlier += stages[number]?.tasks ?? 0;
  return { foreign: { worker: worker.path, grouping, taskId: earlier + task } };
}

function inputOf(job: JobMachine, stage: Stage, task: number, host: string): TaskInput {
  const group = stage.group(task);
  if (group.inputs !== null) {
    const inputs = group.inputs.map((number) => nearestFirst(job.spec.inputs[number] as InputSpec, host, job.cluster));
    return { kind: "inputs", inputs };
  }
  const before = job.stages[stage.number - 1] as Stage;
  return {
    kind: "stage",
    stage: before.number,
    version: before.version,
    ...(group.label === null ? {} : { label: group.label }),
    // The host of a `split` group only says where it lies.
    ...(group.host === null || group.task !== null ? {} : { host: group.host }),
    ...(group.task === null ? {} : { task: group.task }),
    ...(stage.open ? { open: true } : {}),
  };
}

/** Replicas in the order in which to try them: on the task's own node, then on the least loaded, then the rest as given. */
function nearestFirst(input: InputSpec, host: string, cluster: Cluster): InputSpec {
  if (input.replicas.length < 2) return input;
  const cost = (holder: string | null): number => {
    if (holder === host) return -1;
    const node = holder === null ? undefined : cluster.node(holder);
    return node === undefined || !node.connected ? Number.MAX_VALUE : node.load / Math.max(node.slots, 1);
  };
  const order = input.replicas
    .map((_, i) => i)
    .sort((a, b) => cost(input.hosts[a] ?? null) - cost(input.hosts[b] ?? null) || a - b);
  return {
    ...input,
    replicas: order.map((i) => input.replicas[i] as string),
    hosts: order.map((i) => input.hosts[i] ?? null),
  };
}
