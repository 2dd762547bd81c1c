/**
 * One job: a pipeline of stages, each a set of tasks, from submission until it is ready or dead.
 *
 * ```
 *  submitted ──▶ active ──▶ ready     every task of the last stage is done, and no input of it is known to have changed
 *                  └──────▶ dead      a task gave up, a user killed it, or its engine died
 * ```
 * Stages are planned one after the other, each from the complete outputs of the one before (`plan.ts`). Tasks of the
 * lowest incomplete stage are the only ones that are handed out: when an output is lost while its consumers run, its
 * task runs again first (`loss.ts`). Stages that are `concurrent` begin earlier (`concurrent.ts`).
 *
 * | event             | in state        | then                                                                    |
 * |-------------------|-----------------|-------------------------------------------------------------------------|
 * | assigned          | waiting         | running, one live attempt (a second one, speculative, if running)       |
 * | done, live        | running         | done; the task's other attempts are cancelled; stage or job may end     |
 * | failed, live      | running         | waiting, sleeping, or the job is dead (`retry.ts`)                      |
 * | lost, live        | running         | waiting or sleeping; not counted as a failure                           |
 * | input lost, live  | running         | waiting; the output's task is gone, and runs again before this one      |
 * | any, not live     | any             | nothing: the fence. An attempt ends once, and only while it is live     |
 * | preempted         | running         | waiting; not counted                                                    |
 * | timer             | sleeping        | waiting                                                                 |
 * | node lost         | any             | its live attempts are lost, its outputs gone                            |
 *
 * J1. The output of a task is that of the first live attempt that was done; no other attempt can replace it (fencing).
 * J2. A job is ready only if all outputs of the last stage were made from the present outputs of the stages before.
 * J3. An ended job has no live attempt, and no event changes it.
 */

import type { TaskFailure } from "../../errors.ts";
import { DiscoError } from "../../errors.ts";
import type { Assignment, AttemptId, EventLevel } from "../../protocol/messages.ts";
import type { Command } from "../commands.ts";
import type { AssignedTask, JobKilled, ResultsNotSaved, ResultsSaved, TaskDone, TaskEvent } from "../events.ts";
import { othersCanTake } from "../scheduler/choose.ts";
import type { Cluster } from "../scheduler/cluster.ts";
import { holdKey, localWaitMs, waitedOut } from "../scheduler/late-binding.ts";
import { noteFailure, noteSuccess } from "../scheduler/quarantine.ts";
import { assign } from "./assignment.ts";
import { closeNext, feedNext, feedsNext } from "./concurrent.ts";
import { announceEnd, interruption, resultsOf } from "./ending.ts";
import { failAttempt, loseAttempt, loseInput } from "./failing.ts";
import { impossible } from "./impossible.ts";
import { forgo, noteRecommit, settle } from "./loss.ts";
import { Outbox } from "./outbox.ts";
import { groupInputs, groupOutputs } from "./plan.ts";
import { beginSaving, needsSaving, resultsNotSaved, resultsSaved, type Saving } from "./saving.ts";
import type { InputSpec, JobSpec, JobStatus } from "./spec.ts";
import type { Attempt, Used } from "./stage.ts";
import { done, Stage, sleeping, unused, waiting } from "./stage.ts";
import { texts } from "./texts.ts";

function isSameIndex({ replicas }: InputSpec, before: InputSpec | undefined): boolean {
  const [url = ""] = replicas;
  return before !== undefined && url.startsWith("dir://") && url === before.replicas[0];
}

export class JobMachine {
  readonly name: string;
  readonly spec: JobSpec;
  readonly cluster: Cluster;
  readonly submittedAt: number;
  status: JobStatus = "active";
  endedAt: number | null = null;
  results: readonly string[] = [];
  reason: string | null = null;
  failure: TaskFailure | null = null;
  /** Peak resident memory of any of its workers, in bytes. */
  peakRss = 0;
  /** The client's idempotency key. */
  key: string | null = null;
  /** Nodes that keep its pack, besides the master that accepted it. */
  holders: readonly string[] = [];
  /** SHA-256 of its pack, hex; `null`: the journal does not say. */
  packSha256: string | null = null;
  /** Its results are being kept in DDFS (`saving.ts`). */
  saving: Saving | null = null;
  /** Tries of that so far, and those that failed one after the other. */
  saves = 0;
  saveFailures = 0;
  savedResults: readonly string[] | null = null;
  /** Outputs that are made again for that alone: `wantedKey`. */
  readonly wanted = new Set<string>();
  /** Planned stages, in order. */
  readonly stages: Stage[] = [];
  /** By stage: numbers that were used before the stage was planned anew. */
  readonly used: Used[];
  /** Nodes that had a task of this job. */
  readonly hosts = new Set<string>();
  /** Live attempts. */
  live = 0;
  /** Commands so far. For the files of this folder, which act on the job: see `failing.ts`, `loss.ts`, `node-changes.ts`, `ending.ts`. */
  readonly out: Outbox;
  #addresses: readonly string[] | null = null;

  constructor(name: string, spec: JobSpec, cluster: Cluster, submittedAt: number) {
    this.name = name;
    this.spec = spec;
    this.cluster = cluster;
    this.submittedAt = submittedAt;
    this.used = spec.pipeline.map(() => unused);
    this.out = new Outbox(name);
  }

  /** Plans the first stage. Called once, before any event. */
  start(): Command[] {
    const first = this.spec.pipeline[0];
    if (first === undefined)
      throw new DiscoError(`job ${this.name} has no stages`, { code: "bad-pipeline", job: this.name });
    this.out.log(this.submittedAt, texts.initialized());
    this.out.log(this.submittedAt, texts.created(this.name));
    this.#addStage(new Stage(0, first, groupInputs(first.grouping, this.spec.inputs), this.submittedAt));
    this.advance(this.submittedAt);
    return this.out.take();
  }

  /** These nodes keep its pack as well. */
  holdPack(hosts: readonly string[]): Command[] {
    this.holders = [...new Set([...this.holders, ...hosts])];
    return [];
  }

  handle(event: TaskEvent | JobKilled | ResultsSaved | ResultsNotSaved): Command[] {
    if (this.status !== "active") return [];
    if (event.kind === "job-killed") {
      this.out.log(event.at, texts.killed(), "warning");
      this.die(event.at, event.reason ?? "killed by a user", null);
      return this.out.take();
    }
    if (event.kind === "results-saved") {
      const last = this.stages.at(-1);
      if (resultsSaved(this, event) && last !== undefined) this.#ready(event.at, last);
      return this.out.take();
    }
    if (event.kind === "results-not-saved") {
      resultsNotSaved(this, event);
      this.advance(event.at);
      return this.out.take();
    }
    const stage = this.stages[event.stage];
    const attempt = stage?.liveAttempt(event.task, event.attempt);
    if (stage === undefined || attempt === undefined) return [];
    stage.movedAt = event.at;
    switch (event.kind) {
      case "task-done":
        this.#done(stage, attempt, event);
        break;
      case "task-failed":
        failAttempt(this, stage, attempt, event);
        break;
      case "task-lost":
        loseAttempt(this, stage, event.task, attempt, event.at, event.reason);
        break;
      case "input-lost":
        loseInput(this, stage, attempt, event);
        break;
    }
    return this.out.take();
  }

  // ---- assignment ---------------------------------------------------------------------------------------------------

  /** The lowest stage that is not complete. */
  lowest(): Stage | undefined {
    return this.stages.find((stage) => !stage.complete);
  }

  /** The stage whose tasks may be handed out: the lowest that is not complete, or an open one above it (`concurrent.ts`, C2). */
  current(): Stage | undefined {
    let stage = this.lowest();
    while (stage !== undefined && stage.number + 1 < this.stages.length) {
      const next = this.stages[stage.number + 1];
      if (next?.open !== true || !stage.settled) return stage;
      stage = next;
    }
    return stage;
  }

  /** It has a task to hand out, as far as the job itself is concerned. */
  get hungry(): boolean {
    if (this.status !== "active" || this.live >= this.spec.scheduler.maxCores) return false;
    const stage = this.current();
    return stage !== undefined && stage.count(waiting) > 0;
  }

  /** Makes an attempt live. A waiting task gets its first one, a running task a speculative one. */
  assign(task: AssignedTask, at: number): { assignment: Assignment; log: Command } {
    return assign(this, task, at);
  }

  /** The attempt, which waits for input, gives up its slot. @throws DiscoError `impossible` */
  preempt(id: AttemptId, at: number): Command[] {
    const stage = this.stages[id.stage];
    const attempt = stage?.liveAttempt(id.task, id.attempt);
    if (stage === undefined || attempt === undefined) throw impossible(id, stage, "does not run");
    const title = this.title(stage, id.task);
    this.cancelAttempts(stage, id.task, "a task of a stage before needs its slot");
    stage.move(id.task, waiting);
    this.out.note(at, title, texts.preempted(title, attempt.host), "info");
    return this.out.take();
  }

  /** From now on, and for a while, the stage keeps tasks for nodes that hold their input. */
  hold(number: number, at: number): Command[] {
    const stage = this.stages[number];
    if (this.status !== "active" || stage === undefined || stage.heldUntil !== 0) return [];
    stage.heldUntil = at + localWaitMs;
    this.out.push({ kind: "set-timer", key: holdKey(this.name, number, stage.heldUntil), at: stage.heldUntil });
    return this.out.take();
  }

  /** A hold that began long enough ago ends. */
  release(number: number, until: number): void {
    const stage = this.stages[number];
    if (stage?.heldUntil === until) stage.heldUntil = waitedOut;
  }

  /** A node says that an attempt has begun, and when (ms since 1970). */
  began(number: number, task: number, attempt: number, at: number): void {
    const stage = this.stages[number];
    const live = stage?.liveAttempt(task, attempt);
    if (live !== undefined) stage?.noteBegun(live, at);
  }

  wake(number: number, task: number, wakeAt: number): void {
    const stage = this.stages[number];
    if (this.status !== "active" || stage === undefined || task >= stage.tasks) return;
    const trouble = stage.troubles.get(task);
    if (stage.state(task) !== sleeping || trouble?.wakeAt !== wakeAt) return;
    stage.move(task, waiting);
  }

  /** The engine died: what it had not finished will not be. */
  interrupt(at: number): Command[] {
    if (this.status !== "active") return [];
    this.die(at, interruption(this), null);
    return this.out.take();
  }

  /** Of all inputs: gathered once, as there may be a million. */
  addresses(): readonly string[] {
    this.#addresses ??= this.spec.inputs.flatMap((input, n) =>
      // The labels of one index are inputs of one address.
      isSameIndex(input, this.spec.inputs[n - 1]) ? [] : input.replicas,
    );
    return this.#addresses;
  }

  title(stage: Stage, task: number): string {
    return `${stage.spec.name}:${task}`;
  }

  /** Enters a stage that was planned or restored. */
  adopt(stage: Stage): void {
    stage.mayReturn = (task, host) => !othersCanTake(this, stage, task, host);
    this.stages[stage.number] = stage;
    stage.fillQueue();
  }

  /** The attempt is over. The caller says what becomes of the task. */
  endAttempt(stage: Stage, task: number, attempt: number, host: string): void {
    stage.endAttempt(task, attempt);
    this.live--;
    this.cluster.release(host, stage.awaitsInput);
  }

  /** The node has, or had, outputs of the job: should it return, they are found again. */
  readsFrom(host: string): boolean {
    return this.stages.some(({ outputs }) => outputs.liesOn(host));
  }

  /** Counts an attempt that succeeded, for its node. */
  countOk(host: string): void {
    const node = this.cluster.node(host);
    if (node === undefined) return;
    node.tasksOk++;
    noteSuccess(this.cluster, node);
  }

  /** Counts an attempt that failed, for its node: that may be one too many (`scheduler/quarantine.ts`). */
  countFailure(stage: Stage, task: number, host: string, what: "tasksFailed" | "dataErrors", at: number): void {
    const node = this.cluster.node(host);
    if (node === undefined) return;
    node[what]++;
    const timer = noteFailure(this.cluster, node, `${this.name}/${stage.number}/${task}`, at);
    if (timer === null || node.health === null) return;
    this.out.push(timer);
    this.out.log(at, texts.quarantined(host, node.health.until - at, node.health.reason), "warning");
  }

  /** Ends the task's live attempts and has their workers stop (their input changed, or another attempt won). */
  cancelAttempts(stage: Stage, task: number, reason: string): void {
    for (const { attempt, host } of stage.live.get(task) ?? []) {
      this.endAttempt(stage, task, attempt, host);
      this.out.cancel(host, stage.number, task, attempt, reason);
    }
  }

  /** A line about a task in the job's log, from the master. */
  note(at: number, stage: Stage, task: number, message: string, level: EventLevel = "warning"): void {
    this.out.note(at, this.title(stage, task), message, level);
  }

  /** The stage starts over with other groups; stages after it are forgotten. */
  replan(number: number, at: number): void {
    for (const stage of this.stages.splice(number)) {
      for (const task of [...stage.live.keys()]) this.cancelAttempts(stage, task, "the stage is planned anew");
      this.used[stage.number] = stage.used();
    }
    this.#plan(number, at);
    this.out.log(at, texts.replanned(this.spec.pipeline[number]?.name ?? ""), "warning");
  }

  // ---- transitions --------------------------------------------------------------------------------------------------

  #done(stage: Stage, attempt: Attempt, event: TaskDone): void {
    const { task, output, at, ranMs = at - attempt.at } = event;
    const title = this.title(stage, task);
    this.endAttempt(stage, task, attempt.attempt, attempt.host);
    this.countOk(attempt.host);
    if (stage.live.has(task)) this.note(at, stage, task, texts.superseded(title, attempt.host), "info");
    this.cancelAttempts(stage, task, "another attempt was first");
    // Of the time before its stage was closed, it has waited for others.
    stage.durations.add(stage.closedAt > attempt.at ? Math.max(0, Math.min(ranMs, at - stage.closedAt)) : ranMs);
    if (noteRecommit(stage, task, output, this.stages[stage.number + 1]))
      this.note(at, stage, task, texts.outputChanged(title));
    const isFirst = !stage.outputs.has(task);
    stage.outputs.set(task, output);
    if (feedsNext(this, stage)) stage.came.push(task);
    stage.missing.delete(task);
    stage.move(task, done);
    if (output.peakRss > this.peakRss) this.peakRss = output.peakRss;
    this.out.note(at, title, texts.done(title, ranMs), "info", attempt.host);
    this.out.note(at, title, texts.received(title, attempt.host), "info");
    if (stage.complete) this.advance(at);
    else feedNext(this, stage, task, isFirst, at);
  }

  /** Carries the job on after a stage has become complete, or something was lost or found. */
  advance(at: number): void {
    while (this.status === "active") {
      forgo(this);
      if (closeNext(this, at) || settle(this, at)) continue;
      const last = this.stages.at(-1);
      // What is still to run before the last stage, runs because an input of it changed: the last stage may change too (J2).
      if (last === undefined || this.stages.some((stage) => !stage.complete)) {
        this.saving = null;
        return;
      }
      if (this.saving !== null) return;
      this.out.log(at, texts.stageFinished(last.spec.name, at - last.plannedAt));
      if (last.number < this.spec.pipeline.length - 1) this.#plan(last.number + 1, at);
      else if (needsSaving(this)) beginSaving(this, at);
      else this.#ready(at, last);
    }
  }

  #plan(number: number, at: number): void {
    const spec = this.spec.pipeline[number];
    const before = this.stages[number - 1];
    if (spec === undefined || before === undefined)
      throw new DiscoError(`job ${this.name} has no stage ${number}`, { code: "impossible" });
    this.#addStage(
      new Stage(number, spec, groupOutputs(spec.grouping, before.outputs, before.inOrder()), at, this.used[number]),
    );
  }

  #addStage(stage: Stage): void {
    this.adopt(stage);
    this.out.log(stage.plannedAt, texts.scheduled(stage.spec.name, stage.tasks));
  }

  #ready(at: number, last: Stage): void {
    this.results = this.savedResults ?? resultsOf(last, this.spec);
    this.out.log(at, texts.ready(at - this.submittedAt));
    this.#finish("ready", at);
  }

  /** Ends the job without results. */
  die(at: number, reason: string, failure: TaskFailure | null): void {
    this.reason = reason;
    this.failure = failure;
    this.out.log(at, texts.dead(reason), "error");
    this.#finish("dead", at);
  }

  #finish(status: "ready" | "dead", at: number): void {
    this.status = status;
    this.endedAt = at;
    this.saving = null;
    announceEnd(this, status, this.out);
  }
}
