/**
 * The embedded engine has one node for life: a job whose demands it does not meet would wait for ever, and is refused. (On a
 * cluster such a job waits: another node may join.)
 */
import type { InputSpec, JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";

export interface OnlyNode {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Throws `JobError` `no-node` for a job that could never run to its end on this node alone. */
export function assertRunsOn({ host, labels }: OnlyNode, spec: JobSpec): void {
  for (const [name, value] of Object.entries(spec.labels)) {
    if (Object.hasOwn(labels, name) && labels[name] === value) continue;
    throw noNode(
      `labels: the only node, ${host}, does not carry ${name}=${value}`,
      `Give the engine its labels: new Disco(undefined, { labels: { ${JSON.stringify(name)}: ${JSON.stringify(value)} } }).`,
    );
  }
  const { forceLocal, forceRemote } = spec.scheduler;
  if (forceRemote) {
    const hint = "Leave scheduler.forceRemote out: it needs a second node.";
    const held = spec.inputs.find(({ hosts }) => hosts.includes(host));
    if (held !== undefined) throw noNode(`scheduler.forceRemote: the only node, ${host}, holds ${shown(held)}`, hint);
    if (spec.pipeline.length > 1) {
      const [{ name } = { name: "" }, next] = spec.pipeline;
      throw noNode(
        `scheduler.forceRemote: the only node, ${host}, holds the outputs of stage ${name}, which ${next?.name} reads`,
        hint,
      );
    }
  }
  if (forceLocal) {
    const elsewhere = spec.inputs.find(({ hosts }) => hosts.some((one) => one !== null) && !hosts.includes(host));
    if (elsewhere !== undefined) {
      throw noNode(
        `scheduler.forceLocal: the only node, ${host}, does not hold ${shown(elsewhere)}`,
        "Leave scheduler.forceLocal out: the input is then read over the network.",
      );
    }
  }
}

function shown({ replicas }: InputSpec): string {
  return replicas.join(" or ");
}

function noNode(message: string, hint: string): JobError {
  return new JobError(`no node can run the job: ${message}`, { code: "no-node", hint });
}
