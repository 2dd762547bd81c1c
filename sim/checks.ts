/**
 * What must hold in every history.
 *
 * - The invariants of the core (`core/validate.ts`), after every turn of the master.
 * - A committed output is never replaced while it is good, and never comes from an attempt that was over.
 * - A master that starts knows what the last one had journaled; a snapshot tells the whole state.
 * - A job's log has each line once, in order, whenever the master died.
 * - No task is given to a node that is silent, awaited, drained or in quarantine; the last one that takes tasks is in none.
 * - No stage waits for local slots longer than it may; no task sleeps because its node was started anew.
 * - A job that is ready has outputs each of which was computed from the present outputs of the stage before; the result of
 *   an exact job is the one computed in one place. One that saves its results is ready with its tag, which names them, once.
 */
import { isDeepStrictEqual } from "node:util";
import type { MasterEvent } from "../src/core/events.ts";
import type { JobMachine } from "../src/core/job/machine.ts";
import { resultsTag } from "../src/core/job/saved-tags.ts";
import type { Stage } from "../src/core/job/stage.ts";
import { done } from "../src/core/job/stage.ts";
import type { MasterMachine } from "../src/core/master.ts";
import { byLoad } from "../src/core/scheduler/cluster.ts";
import { waitedOut } from "../src/core/scheduler/late-binding.ts";
import { ofNodes } from "../src/core/scheduler/quarantine.ts";
import type { MasterSnapshot } from "../src/core/snapshot.ts";
import { restoreMaster, snapshotMaster } from "../src/core/snapshot.ts";
import { validateMaster } from "../src/core/validate.ts";
import type { Contents } from "./fake-job.ts";
import { compute, digestOf, expected, select } from "./fake-job.ts";
import { keyOf, writtenMax } from "./fake-node.ts";
import { lineOf } from "./saved-results.ts";
import type { World } from "./world.ts";

/** A timer is a message and a turn of the loop away from who set it. */
const holdSlackMs = 500;

export class Checks {
  readonly #world: World;
  /** Active jobs, by name, as they were when they were last seen. */
  readonly #jobs = new Map<string, JobMachine>();
  /** Attempts that the present master has given up: on lost nodes. */
  readonly #over = new Set<string>();
  #committed: string | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  before(event: MasterEvent, machine: MasterMachine): void {
    this.#committed = event.kind === "task-done" ? committed(machine, event) : null;
    if (event.kind !== "node-lost") return;
    for (const { key, host } of liveAttempts(machine)) if (host === event.host) this.#over.add(key);
  }

  after(event: MasterEvent, machine: MasterMachine): void {
    for (const job of machine.jobs.values()) this.#jobs.set(job.name, job);
    if (event.kind === "task-done") {
      const now = committed(machine, event);
      const was = this.#committed;
      if (was !== null && now !== null && was !== now) throw new Error(`${keyOf(event)} replaced a committed output`);
      if (now !== null && was === null && this.#over.has(keyOf(event)))
        throw new Error(`${keyOf(event)} was over and committed`);
    }
    for (const [name, job] of this.#jobs) {
      if (job.status === "active") continue;
      this.#jobs.delete(name);
      if (job.status === "ready") this.#ready(job);
    }
  }

  /** The scheduler has given the node something to do. */
  assigned(host: string, machine: MasterMachine | undefined): void {
    const node = machine?.cluster.node(host);
    if (machine === undefined || node === undefined) return;
    const standing = machine.cluster.standing(node);
    if (standing !== "open") throw new Error(`a task is given to ${host}, which is ${standing}`);
  }

  /** After what happened is in the journal. */
  consistent(machine: MasterMachine, now: number | null): void {
    validateMaster(machine);
    const { cluster } = machine;
    const isAnyUsable = [...cluster.nodes.values()].some((node) => node.slots > 0 && cluster.usable(node));
    if (cluster.quarantined.size > 0 && !isAnyUsable) throw new Error("the last nodes are in quarantine");
    cluster.withRoom().forEach((node, place, nodes) => {
      const next = nodes[place + 1];
      if (next !== undefined && byLoad(node, next) > 0)
        throw new Error(`${node.host} has room and is out of its order`);
    });
    for (const job of machine.jobs.values()) {
      if (isIdle(job)) throw new Error(`a slot stands idle although tasks of ${job.name} wait for nothing else`);
      for (const stage of job.stages) {
        if (now !== null && stage.heldUntil > 0 && now > stage.heldUntil + holdSlackMs)
          throw new Error(`stage ${stage.spec.name} of ${job.name} waits for local slots without end`);
        for (const [task, { wakeAt, failures, lost, restarts }] of stage.troubles) {
          if (wakeAt > 0 && failures === 0 && lost === restarts)
            throw new Error(`${job.title(stage, task)} of ${job.name} sleeps because its node was started anew`);
        }
      }
    }
  }

  /** A master that starts from a snapshot has the state of the one that wrote it. */
  survives(machine: MasterMachine): void {
    const text = JSON.stringify(snapshotMaster(machine));
    const restored = restoreMaster(JSON.parse(text) as MasterSnapshot);
    validateMaster(restored);
    if (JSON.stringify(snapshotMaster(restored)) !== text) throw new Error("a snapshot does not tell the whole state");
  }

  restarted(machine: MasterMachine): void {
    validateMaster(machine);
    this.#jobs.clear();
    // The loss of a node that was not journaled before the crash did not happen.
    for (const { key } of liveAttempts(machine)) this.#over.delete(key);
    for (const job of machine.jobs.values()) this.#jobs.set(job.name, job);
  }

  atEnd(): void {
    const machine = this.#world.ledger?.machine;
    if (machine === undefined) throw new Error("there is no master at the end");
    for (const job of machine.ended.values()) {
      const { poison } = this.#world.fakeJob(job.name);
      if (job.status === "dead" && poison === null && !this.#world.killed.has(job.name))
        throw new Error(`${job.name} is dead: ${job.reason}`);
    }
    for (const node of machine.cluster.nodes.values())
      if (node.load > 0) throw new Error(`${node.host} is busy at the end`);
    // Quarantines of nodes outlast jobs; each ends by itself.
    if (machine.timers().some(({ key }) => !key.startsWith(`${ofNodes}/`)))
      throw new Error("timers are pending at the end");
  }

  /** What a job says that it saved is in the tag, once, and is what it wrote. */
  #saved(job: JobMachine, last: Stage): void {
    const name = resultsTag(job.name);
    const lines = [...(this.#world.ledger?.machine.tags.tag(name)?.urls.lines() ?? [])];
    const should = [...last.inOrder()].map((task) => lineOf(task, last.outputs.digest(task)));
    if (!isDeepStrictEqual(job.results, [`tag://${name}`])) throw new Error(`${job.name} is ready without its tag`);
    if (!isDeepStrictEqual(lines, should)) throw new Error(`the tag of ${job.name} does not name what it wrote`);
  }

  #ready(job: JobMachine): void {
    const fake = this.#world.fakeJob(job.name);
    job.stages.forEach((stage, number) => {
      const before = job.stages[number - 1];
      for (let task = 0; task < stage.tasks; task++) {
        const group = stage.group(task);
        const read =
          before === undefined
            ? (group.inputs ?? []).map((input) => `input ${input}`)
            : select(
                { kind: "stage", stage: number - 1, version: 0, ...selection(stage, task) },
                this.#outputs(before),
              );
        const should = compute(fake, number, read, attemptOf(stage, task), group.label ?? 0);
        if (stage.outputs.digest(task) !== digestOf(should)) {
          throw new Error(`output of ${job.title(stage, task)} of ${job.name} was not made from the outputs before it`);
        }
      }
    });
    const last = job.stages.at(-1) as Stage;
    if (job.spec.save?.results === true) this.#saved(job, last);
    for (const { task, host } of this.#outputs(last)) {
      const disk = Math.floor(last.outputs.ref(task).at / writtenMax);
      const present = this.#world.nodes.get(host)?.incarnation;
      // A loss of which the master cannot know yet is not its fault.
      if (present !== disk && job.cluster.node(host)?.incarnation === String(present)) {
        throw new Error(`${job.title(last, task)} is on a disk that is gone`);
      }
    }
    if (job.spec.save?.results !== true && job.results.length !== last.tasks)
      throw new Error(`${job.name} has ${job.results.length} results of ${last.tasks} tasks`);
    const digests = [...last.inOrder()].map((task) => last.outputs.digest(task));
    if (fake.exact && !isDeepStrictEqual(digests, expected(fake)))
      throw new Error(`${job.name} has another result than it should`);
  }

  #outputs(stage: Stage): { task: number; host: string; contents: Contents }[] {
    return [...stage.inOrder()].map((task) => {
      const ref = stage.outputs.ref(task);
      const contents = this.#world.written.get(`${ref.host}:${ref.file}:${ref.at}`);
      if (contents === undefined) throw new Error(`output ${ref.file}:${ref.at} was never written`);
      return { task, host: ref.host, contents };
    });
  }
}

/** A node has room, and a task that may run anywhere waits: jobs of the simulator ask for no labels and no places. */
function isIdle(job: JobMachine): boolean {
  const stage = job.current();
  if (stage === undefined || !job.hungry || !job.cluster.anyRoom) return false;
  if (stage.awaitsInput && !job.cluster.free().some(({ slots }) => slots > 0)) return false;
  for (let task = 0; task < stage.tasks; task++) {
    if (!stage.waits(task) || stage.picky(task)) continue;
    if (stage.heldUntil === waitedOut || stage.hosts(task).length === 0) return true;
  }
  return false;
}

function* liveAttempts(machine: MasterMachine): Generator<{ key: string; host: string }> {
  for (const job of machine.jobs.values()) {
    for (const { number, live } of job.stages) {
      for (const [task, attempts] of live) {
        for (const { attempt, host } of attempts)
          yield { key: keyOf({ job: job.name, stage: number, task, attempt }), host };
      }
    }
  }
}

function selection(stage: Stage, task: number): { label?: number; host?: string; task?: number } {
  const group = stage.group(task);
  return {
    ...(group.label === null ? {} : { label: group.label }),
    ...(group.task === null ? {} : { task: group.task }),
    ...(group.host === null || group.task !== null ? {} : { host: group.host }),
  };
}

function attemptOf(stage: Stage, task: number): number {
  return Number(stage.outputs.index(task)?.split("#")[1]);
}

/** The place of the task's output, if it is committed. */
function committed(machine: MasterMachine, event: { job: string; stage: number; task: number }): string | null {
  const stage = machine.jobs.get(event.job)?.stages[event.stage];
  if (stage === undefined || event.task >= stage.tasks || stage.state(event.task) !== done) return null;
  const { host, file, at } = stage.outputs.ref(event.task);
  return `${host}:${file}:${at}`;
}
