/** Some of the faults of a history: what goes wrong with an attempt, with a node's network, and with the scheduler's patience. */
import type { AssignedTask } from "../src/core/events.ts";
import type { MasterMachine } from "../src/core/master.ts";
import type { Assignment } from "../src/protocol/messages.ts";
import type { Agenda } from "./agenda.ts";
import type { FakeNode, Report } from "./fake-node.ts";
import { failureOf } from "./fake-node.ts";
import type { Random } from "./random.ts";

/** Counts mishaps by task, so that no job may give up because of them. */
export function mishapOf(assignment: Assignment, random: Random, mishaps: Map<string, number>): Report | null {
  const { job, stage, task, attempt } = assignment;
  const id = { job, stage, task, attempt };
  if (random.chance(0.5)) return { kind: "task-lost", ...id, reason: "its worker vanished" };
  const key = `${job}/${stage}/${task}`;
  const before = mishaps.get(key) ?? 0;
  mishaps.set(key, before + 1);
  const failures = [
    failureOf("worker-signal", "SIGKILL", "elsewhere"),
    failureOf("data-error", "no such file", "elsewhere"),
    failureOf("user-error", "a passing fault", "here"),
  ];
  const failure = failures[before];
  return failure === undefined ? null : { kind: "task-failed", ...id, failure };
}

/**
 * Stops the node for a while, or breaks one direction of its network. One-way losses are short: what is sent to a node that does not
 * hear counts as lost with each of its heartbeats.
 */
export function impair(
  node: FakeNode,
  { agenda, random }: { readonly agenda: Agenda; readonly random: Random },
  chance: (p: number) => boolean,
): void {
  if (chance(0.005) && !node.paused) {
    node.paused = true;
    agenda.after(random.int(10, 1_000), () => (node.paused = false));
  }
  if (chance(0.005)) {
    node.deaf = true;
    agenda.after(random.int(10, 300), () => (node.deaf = false));
  }
  if (chance(0.005)) {
    node.mute = true;
    agenda.after(random.int(10, 600), () => (node.mute = false));
  }
}

/** An operator drains the node, keeps it after all, or trusts it again. */
export function orderFor({ host }: FakeNode, random: Random): { kind: Order; host: string } {
  return { kind: random.pick<Order>(["node-draining", "node-undrained", "node-whitelisted"]), host };
}

type Order = "node-draining" | "node-undrained" | "node-whitelisted";

/** A second attempt of some running task, on the host if it has room, as the scheduler might begin it. */
export function extraAttempt(machine: MasterMachine, host: string): AssignedTask | undefined {
  const node = machine.cluster.node(host);
  if (node === undefined || !machine.cluster.hasRoom(node)) return undefined;
  for (const job of machine.jobs.values()) {
    const stage = job.lowest();
    const [task, attempts] = stage?.live.entries().next().value ?? [];
    if (stage === undefined || task === undefined || stage.startedAgain.has(task)) continue;
    if (attempts?.length !== 1 || job.live >= job.spec.scheduler.maxCores) continue;
    return { job: job.name, stage: stage.number, task, attempt: stage.nextAttempt(task), host };
  }
  return undefined;
}
