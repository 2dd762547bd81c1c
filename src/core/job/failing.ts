/**
 * Attempts that end without an output: they failed, were lost with their worker or node, or could not read their input.
 * Says whether and when the task is tried again (`retry.ts`), or that the job is dead.
 */
import type { InputLost, TaskFailed } from "../events.ts";
import { canTake } from "../scheduler/choose.ts";
import { demand, demandOne, loseOutput } from "./loss.ts";
import type { JobMachine } from "./machine.ts";
import type { LossBlame, Verdict } from "./retry.ts";
import { judgeFailure, judgeLoss, timerKey } from "./retry.ts";
import type { Attempt, Stage } from "./stage.ts";
import { done, sleeping, waiting } from "./stage.ts";
import { texts } from "./texts.ts";

/** The attempt reported a failure. */
export function failAttempt(job: JobMachine, stage: Stage, attempt: Attempt, event: TaskFailed): void {
  const { task, failure, at } = event;
  const title = job.title(stage, task);
  job.endAttempt(stage, task, attempt.attempt, attempt.host);
  const kind = failure.code === "data-error" ? "dataErrors" : "tasksFailed";
  job.countFailure(stage, task, attempt.host, kind, at);
  stage.failed++;
  const trouble = stage.trouble(task);
  const foreign = job.spec.worker !== undefined;
  const retries = retriesOf(job);
  const verdict = judgeFailure(trouble, failure, attempt.host, { retries, nodes: nodesFor(job, stage, task), foreign });
  // What a job's own worker says is all that is known.
  const why = foreign ? failure.message.trimEnd() : `${failure.name}: ${failure.message}`;
  if (verdict.kind === "give-up") {
    job.out.note(at, title, texts.fatal(title, why), "error", attempt.host);
    const isTooOften = foreign && trouble.failures > retries;
    const gaveUp = isTooOften
      ? texts.failedTooOften(title, trouble.failures, retries)
      : texts.gaveUp(title, trouble.failures, verdict.reason);
    job.out.note(at, title, gaveUp, "error");
    job.die(at, `task ${title} failed on ${attempt.host}: ${why} (${verdict.reason})`, failure);
    return;
  }
  job.out.note(at, title, texts.failed(title, why), "warning", attempt.host);
  job.note(at, stage, task, texts.retrying(title, attempt.host, trouble.failures, verdict.delayMs));
  tryAgain(job, stage, task, at, verdict);
}

/** A job may ask for more than the operator allows. One with a worker of its own says nothing: it gets what the operator allows. */
function retriesOf({ spec, cluster }: JobMachine): number {
  if (spec.worker !== undefined) return cluster.settings.maxFailureRate;
  return Math.min(spec.retries, cluster.settings.maxFailureRate);
}

/** Nodes that the task could run on, or could have failed on. */
function nodesFor(job: JobMachine, stage: Stage, task: number): number {
  let nodes = 0;
  for (const node of job.cluster.nodes.values()) if (canTake(job, stage, task, node)) nodes++;
  return nodes;
}

/** The attempt found an output of an earlier stage lost. */
export function loseInput(job: JobMachine, stage: Stage, attempt: Attempt, event: InputLost): void {
  const { task, at, lost } = event;
  const producer = job.stages[lost.stage];
  const isPresent = producer !== undefined && lost.stage < stage.number && producer.outputs.is(lost.task, lost.ref);
  if (isPresent && producer.state(lost.task) === done) {
    const title = job.title(producer, lost.task);
    job.note(at, producer, lost.task, texts.outputLost(title, lost.ref.host));
    const verdict = judgeLoss(producer.trouble(lost.task), "node");
    if (verdict.kind === "give-up") {
      job.die(at, `output of task ${title} cannot be kept: ${verdict.reason}`, event.failure);
      return;
    }
    loseOutput(producer, lost.task, false);
    // Made again there, it may be as much out of reach as before: the node may be well, and cut off from its peers.
    const { avoid } = producer.trouble(lost.task);
    if (!avoid.includes(lost.ref.host)) avoid.push(lost.ref.host);
  }
  loseAttempt(job, stage, task, attempt, at, event.failure.message);
  if (job.status !== "active") return;
  if (isPresent) demandOne(producer, lost.task);
  demand(job);
  job.advance(at);
}

/** Tasks that are named in a line about many. */
const namedMax = 5;

/** Of the live attempts on a host, those chosen by `stage/task/attempt` are over. One line tells of all. */
export function loseAttempts(
  job: JobMachine,
  host: string,
  at: number,
  reason: string,
  which: (key: string) => boolean,
  blame: LossBlame = "node",
): void {
  const lost: { readonly stage: Stage; readonly task: number; readonly attempt: Attempt }[] = [];
  for (const stage of job.stages) {
    // By number, not as they happen to lie in memory: a replay has to do the same in the same order.
    for (const [task, attempts] of [...stage.live].sort(([a], [b]) => a - b)) {
      for (const attempt of attempts) {
        if (attempt.host === host && which(`${stage.number}/${task}/${attempt.attempt}`))
          lost.push({ stage, task, attempt });
      }
    }
  }
  if (lost.length > 1) {
    const named = lost.slice(0, namedMax).map(({ stage, task }) => job.title(stage, task));
    job.out.log(at, texts.lostMany(named, lost.length, host, reason), "warning");
  }
  for (const { stage, task, attempt } of lost) {
    if (job.status !== "active") return;
    if (lost.length === 1) job.note(at, stage, task, texts.lost(job.title(stage, task), host, reason));
    endLost(job, stage, task, attempt, at, reason, blame);
  }
}

/** The attempt is over through no fault of its own. */
export function loseAttempt(
  job: JobMachine,
  stage: Stage,
  task: number,
  attempt: Attempt,
  at: number,
  reason: string,
): void {
  job.note(at, stage, task, texts.lost(job.title(stage, task), attempt.host, reason));
  endLost(job, stage, task, attempt, at, reason, "node");
}

function endLost(
  job: JobMachine,
  stage: Stage,
  task: number,
  attempt: Attempt,
  at: number,
  reason: string,
  blame: LossBlame,
): void {
  const title = job.title(stage, task);
  job.endAttempt(stage, task, attempt.attempt, attempt.host);
  const verdict = judgeLoss(stage.trouble(task), blame);
  if (verdict.kind === "give-up") job.die(at, `task ${title}: ${verdict.reason}, at last because: ${reason}`, null);
  else tryAgain(job, stage, task, at, verdict);
}

function tryAgain(job: JobMachine, stage: Stage, task: number, at: number, verdict: Verdict & { kind: "retry" }): void {
  if (stage.live.has(task)) return;
  if (verdict.delayMs === 0) {
    stage.move(task, waiting);
    return;
  }
  const wakeAt = at + verdict.delayMs;
  stage.trouble(task).wakeAt = wakeAt;
  stage.move(task, sleeping);
  job.out.push({ kind: "set-timer", key: timerKey(job.name, stage.number, task, wakeAt), at: wakeAt });
}
