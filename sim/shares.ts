/**
 * How jobs share a cluster in which nothing breaks: the real core between nodes that take a known time for each task, in simulated
 * time. Tells when each job ended, and how many attempts it took.
 */
import type { Command } from "../src/core/commands.ts";
import type { MasterEvent } from "../src/core/events.ts";
import type { JobSpec } from "../src/core/job/spec.ts";
import type { MasterOptions } from "../src/core/master.ts";
import { MasterMachine } from "../src/core/master.ts";
import type { AttemptId } from "../src/protocol/messages.ts";
import { Agenda } from "./agenda.ts";
import { keyOf } from "./fake-node.ts";
import { idOf, outputOf, specOf } from "./scale.ts";

/** As the shell does: it looks for stragglers, whatever happens. */
const tickMs = 1_000;
/** Nothing here takes longer, unless something stalls. */
const simulatedMsMax = 86_400_000;

export interface SharesOptions extends MasterOptions {
  /** Slots of each node. */
  readonly nodes: readonly number[];
  readonly jobs: readonly ShareJob[];
  /** How much longer a node takes for everything. Default: once. */
  readonly slowness?: readonly number[];
}

export interface ShareJob {
  readonly tasks: number;
  readonly taskMs: number;
  /** When it is submitted. Default 0. */
  readonly atMs?: number;
  /** The node that holds all of its inputs. Default: nobody. */
  readonly holder?: number;
}

export interface ShareResult {
  /** From submission to end. */
  readonly ms: number;
  readonly attempts: number;
}

export function runShares({ nodes, jobs, slowness = [], ...options }: SharesOptions): ShareResult[] {
  const agenda = new Agenda();
  const master = new MasterMachine(options);
  const began = agenda.now;
  const attempts = new Map<string, number>();
  const cancelled = new Set<string>();
  const submitted: string[] = [];
  const carryOut = (commands: readonly Command[]): void => {
    for (const command of commands) {
      if (command.kind === "set-timer") {
        const { key } = command;
        agenda.after(Math.max(0, command.at - agenda.now), () => handle({ kind: "timer-fired", at: agenda.now, key }));
      } else if (command.kind === "cancel") cancelled.add(keyOf(command.id));
      else if (command.kind === "assign") {
        const { host } = command;
        for (const assignment of command.assignments) {
          attempts.set(assignment.job, (attempts.get(assignment.job) ?? 0) + 1);
          const job = jobs[submitted.indexOf(assignment.job)] as ShareJob;
          const ms = job.taskMs * (slowness[Number(host.slice("node".length))] ?? 1);
          agenda.after(ms, () => done(assignment, () => outputOf(assignment, host)));
        }
      }
    }
  };
  const turn = (): void => {
    const scheduled = master.schedule(agenda.now);
    if (scheduled !== null) carryOut(scheduled.commands);
  };
  const handle = (event: MasterEvent): void => {
    carryOut(master.handle(event));
    turn();
  };
  const done = (id: AttemptId, output: () => ReturnType<typeof outputOf>): void => {
    if (!cancelled.has(keyOf(id))) handle({ kind: "task-done", at: agenda.now, ...idOf(id), output: output() });
  };
  nodes.forEach((slots, n) => {
    const host = `node${n}`;
    handle({ kind: "node-joined", at: agenda.now, host, incarnation: "1", slots, queueDepth: 1, labels: {} });
  });
  jobs.forEach((job, n) => {
    agenda.after(job.atMs ?? 0, () => {
      submitted[n] = master.nextName("share", agenda.now);
      handle({ kind: "job-submitted", at: agenda.now, job: submitted[n], spec: specFor(job, nodes.length) });
    });
  });
  const tick = (): void => {
    turn();
    agenda.after(tickMs, tick);
  };
  tick();
  while (master.ended.size < jobs.length) {
    agenda.step();
    if (agenda.now - began > simulatedMsMax) throw new Error(`jobs stall: ${[...master.jobs.keys()].join(", ")}`);
  }
  return submitted.map((name) => {
    const ended = master.ended.get(name);
    if (ended?.status !== "ready") throw new Error(`${name} is dead: ${ended?.reason}`);
    return { ms: ended.endedAt - ended.submittedAt, attempts: attempts.get(name) ?? 0 };
  });
}

function specFor({ tasks, holder }: ShareJob, nodes: number): JobSpec {
  const spec = specOf(tasks, nodes, 0);
  const hosts = [holder === undefined ? null : `node${holder}`];
  return {
    ...spec,
    inputs: spec.inputs.map((input) => ({ ...input, hosts })),
    pipeline: [{ name: "map", grouping: "split" }],
  };
}
