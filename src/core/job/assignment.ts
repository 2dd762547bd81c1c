/** What a node has to know to run an attempt. Made when the attempt is sent: the best replica is a matter of the moment. */
import type { Assignment } from "../../protocol/messages.ts";
import type { AssignedTask } from "../events.ts";
import type { Cluster } from "../scheduler/cluster.ts";
import type { JobMachine } from "./machine.ts";
import type { InputSpec, TaskInput } from "./spec.ts";
import type { Stage } from "./stage.ts";

export function assignmentOf(job: JobMachine, stage: Stage, { task, attempt, host }: AssignedTask): Assignment {
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
  };
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
