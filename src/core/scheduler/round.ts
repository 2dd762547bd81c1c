/**
 * One round of scheduling: hands out waiting tasks, job after job in the order of the policy, until no node has room or no
 * job can use what there is; then, twice a second, looks for stragglers. What it decides takes effect at once, and
 * is one event (`TasksAssigned`) that a replay repeats without any of this.
 */
import type { AttemptId } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";
import type { AssignedTask, HeldStage, TasksAssigned } from "../events.ts";
import type { JobMachine } from "../job/machine.ts";
import { Assigned } from "./assigned.ts";
import { choose, held } from "./choose.ts";
import type { Cluster } from "./cluster.ts";
import type { JobOrder } from "./job-order.ts";
import { passedByMax } from "./late-binding.ts";
import { victimsOf } from "./preemption.ts";
import { stragglersOf } from "./stragglers.ts";

export class Round {
  readonly #at: number;
  readonly #order: JobOrder;
  readonly #cluster: Cluster;
  readonly #tasks: AssignedTask[] = [];
  readonly #holds: HeldStage[] = [];
  readonly #assigned = new Assigned();
  readonly #held: Command[] = [];
  readonly #preempted: AttemptId[] = [];

  constructor(at: number, order: JobOrder, cluster: Cluster) {
    this.#at = at;
    this.#order = order;
    this.#cluster = cluster;
  }

  /** Has attempts that wait for input make room for those that make it. To be called first. */
  makeRoom(jobs: Iterable<JobMachine>): void {
    if (this.#cluster.awaitingHosts.size === 0) return;
    for (const job of jobs) {
      for (const id of victimsOf(job, this.#at)) {
        this.#preempted.push(id);
        this.#assigned.before(job.preempt(id, this.#at));
        this.#order.update(job);
      }
    }
  }

  startWaiting(): void {
    const order = this.#order;
    if (!this.#cluster.anyRoom) return;
    order.wake((job, some) => choose(job, some, this.#at, false) !== null);
    if (order.first() === undefined) return;
    const nodes = this.#cluster.withRoom();
    const aside: JobMachine[] = [];
    let passedBy = 0;
    for (let job = order.first(); job !== undefined && nodes.length > 0; job = order.first()) {
      const choice = choose(job, nodes, this.#at, passedBy < passedByMax);
      // Whether a task that has to keep off some node may go there after all depends on more than the nodes with room.
      // And a slot that becomes free need not be room that is gained, which is what would wake it.
      const stage = job.current();
      if (choice === null && stage?.queue.anyPicky !== true && stage?.awaitsInput !== true) {
        order.sleep(job);
        continue;
      }
      if (choice === null || choice === held) {
        if (choice === held) {
          this.#hold(job);
          passedBy++;
        }
        order.setAside(job);
        aside.push(job);
        continue;
      }
      const { node, task } = choice;
      const attempt = choice.stage.nextAttempt(task);
      this.#assign(job, { job: job.name, stage: choice.stage.number, task, attempt, host: node.host });
    }
    for (const job of aside) order.update(job);
  }

  /** Gives slow tasks a second attempt (`stragglers.ts`). */
  startAgain(jobs: Iterable<JobMachine>): void {
    if (!this.#cluster.anyFree) return;
    for (const job of jobs) {
      for (const straggler of stragglersOf(job, this.#at)) {
        this.#assign(job, straggler);
        if (!this.#cluster.anyFree) return;
      }
    }
  }

  /** `null`: nothing was decided. */
  outcome(): { event: TasksAssigned; commands: Command[] } | null {
    const isQuiet = this.#holds.length === 0 && this.#preempted.length === 0;
    if (this.#tasks.length === 0 && isQuiet) return null;
    const event: TasksAssigned = { kind: "tasks-assigned", at: this.#at, tasks: this.#tasks };
    const commands = this.#assigned.commands();
    if (isQuiet) return { event, commands };
    const preempted = this.#preempted.length === 0 ? {} : { preempted: this.#preempted };
    const holds = this.#holds.length === 0 ? {} : { holds: this.#holds };
    return { event: { ...event, ...preempted, ...holds }, commands: [...commands, ...this.#held] };
  }

  #assign(job: JobMachine, task: AssignedTask): void {
    this.#tasks.push(task);
    this.#assigned.add(task.host, job.assign(task, this.#at));
    this.#order.update(job);
  }

  #hold(job: JobMachine): void {
    const stage = job.current();
    if (stage === undefined || stage.heldUntil !== 0) return;
    this.#holds.push({ job: job.name, stage: stage.number });
    this.#held.push(...job.hold(stage.number, this.#at));
  }
}
