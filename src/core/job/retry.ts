/**
 * Whether a failed task is tried again, where, and when. A function of the task's history and of the failure.
 *
 * R1. A failure that says `retry: "never"` ends the job at once.
 * R2. A job ends when one of its tasks has failed more than `retries` times.
 * R3. The same failure of the user's code (code, class and message) twice ends the job: the code is deterministic.
 *     So does the same failure on three nodes of a task that is to run elsewhere, or on all nodes that can run it if they
 *     are two: it is not the nodes.
 * R4. Some kinds of failure have a smaller allowance of their own, since another try seldom helps.
 * R5. An attempt that was lost (its worker or node vanished) is not the task's fault: only `lostMax` bounds it, which
 *     stops a task that kills every node it meets. A node that came back and did not have the attempt (it, or the
 *     daemon around it, was started anew) has nothing to do with the task: such losses delay nothing.
 * R6. The first retry comes at once, later ones after a delay that doubles from `retryDelayMs` to `retryDelayMaxMs`.
 * R7. A failure that says `retry: "elsewhere"` keeps the task off that node as long as another one could run it.
 * R8. Workers that jobs bring along say what can be tried again: but for R1, R2, R5 and R6 nothing ends their jobs, and a task
 *     keeps off every node where it failed, as in Disco.
 */
import type { TaskFailure } from "../../errors.ts";

export const retryDelayMs = 50;
export const retryDelayMaxMs = 30_000;
/** Lost attempts of one task, and losses of its output, before the job gives up. */
export const lostMax = 100;
/** Losses in a row that are retried at once; a worker that dies at birth must not become a busy loop. */
const lostAtOnceMax = 3;

/** Nodes on which the same failure is enough (R3). */
const sameFailureNodesMax = 3;
const sameFailureNodesMin = 2;
/** Of a failure's message, what tells it from others. */
const fingerprintCharsMax = 1_000;

/** Failures of one kind that a task may have before the job ends, where that is less than `retries` allows. */
const allowance: Readonly<Record<string, number>> = {
  "out-of-memory": 1,
  // What was read of an input, all replicas of it. A second try may find the file whole, or another node's file of that name.
  "not-text": 1,
  "bad-compressed": 1,
  "worker-signal": 2,
  "worker-exit": 2,
  timeout: 2,
};

/** What went wrong with one task so far. Kept only for tasks with trouble. */
export interface Trouble {
  failures: number;
  lost: number;
  /** Those of the lost ones that were lost by restarts of their node. Absent before version 2 of snapshots. */
  restarts?: number;
  /** By failure that is to be tried elsewhere: where it happened. Absent as long as there is none. */
  failedOn?: Record<string, string[]>;
  /** Failures by code, and of user code by fingerprint as well. */
  counts: Record<string, number>;
  /** Hosts to keep off while another node can take the task. */
  avoid: string[];
  /** While the task sleeps: when it is to be woken; else 0. */
  wakeAt: number;
}

export type Verdict =
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "give-up"; readonly reason: string };

export function noTrouble(): Trouble {
  return { failures: 0, lost: 0, counts: Object.create(null) as Record<string, number>, avoid: [], wakeAt: 0 };
}

export const nobodysTrouble: Readonly<Trouble> = noTrouble();

export interface FailureLimits {
  /** How often the task may be tried again. */
  readonly retries: number;
  /** Nodes that could run it. */
  readonly nodes: number;
  /** The worker is the job's own (R8). */
  readonly foreign?: boolean;
}

/** Who is to blame for a lost attempt. */
export type LossBlame = "node" | "restart";

/** Enters a failure in the task's history and says what follows. */
export function judgeFailure(trouble: Trouble, failure: TaskFailure, host: string, limits: FailureLimits): Verdict {
  const { retries, nodes, foreign = false } = limits;
  trouble.failures++;
  if (foreign) return judgeForeign(trouble, failure, host, retries);
  const ofCode = count(trouble, failure.code);
  const same = failure.code === "user-error" ? count(trouble, fingerprint(failure)) : 1;
  if (failure.retry === "elsewhere" && !trouble.avoid.includes(host)) trouble.avoid.push(host);
  if (failure.retry === "never") return giveUp("it cannot succeed by trying again");
  if (same > 1) return giveUp("it failed twice in the same way");
  const hosts = failure.retry === "elsewhere" ? failedOn(trouble, failure, host) : [];
  if (hosts.length >= Math.max(sameFailureNodesMin, Math.min(sameFailureNodesMax, nodes)))
    return giveUp(`it failed in the same way on ${inWords(hosts)}`);
  const allowed = allowance[failure.code] ?? Number.POSITIVE_INFINITY;
  if (ofCode > allowed && allowed <= retries) return giveUp(`${failure.code} happened ${times(ofCode)}`);
  if (trouble.failures > retries) {
    return giveUp(
      retries === 0 ? "no retries are allowed" : `it failed ${times(trouble.failures)}, ${retriesAllowed(retries)}`,
    );
  }
  return { kind: "retry", delayMs: delay(trouble.failures - 1) };
}

function judgeForeign(trouble: Trouble, failure: TaskFailure, host: string, retries: number): Verdict {
  count(trouble, failure.code);
  if (!trouble.avoid.includes(host)) trouble.avoid.push(host);
  if (failure.retry === "never") return giveUp("it cannot succeed by trying again");
  if (trouble.failures > retries) return giveUp(`it failed ${times(trouble.failures)}, ${retriesAllowed(retries)}`);
  return { kind: "retry", delayMs: delay(trouble.failures - 1) };
}

/** Enters a lost attempt or a lost output in the task's history and says what follows. */
export function judgeLoss(trouble: Trouble, blame: LossBlame): Verdict {
  trouble.lost++;
  if (blame === "restart") trouble.restarts = (trouble.restarts ?? 0) + 1;
  if (trouble.lost > lostMax) return giveUp(`its worker, node or output was lost ${times(trouble.lost)}`);
  const blamed = trouble.lost - (trouble.restarts ?? 0);
  return { kind: "retry", delayMs: blame === "restart" ? 0 : delay(blamed - lostAtOnceMax) };
}

function delay(nth: number): number {
  return nth <= 0 ? 0 : Math.min(retryDelayMs * 2 ** (nth - 1), retryDelayMaxMs);
}

function count(trouble: Trouble, key: string): number {
  const n = (trouble.counts[key] ?? 0) + 1;
  trouble.counts[key] = n;
  return n;
}

/** Enters where a failure happened; gives all hosts where it did. */
function failedOn(trouble: Trouble, failure: TaskFailure, host: string): readonly string[] {
  const key = fingerprint(failure);
  trouble.failedOn ??= Object.create(null) as Record<string, string[]>;
  const hosts = trouble.failedOn[key] ?? [];
  trouble.failedOn[key] = hosts;
  if (!hosts.includes(host)) hosts.push(host);
  return hosts;
}

function inWords(hosts: readonly string[]): string {
  return `${hosts.slice(0, -1).join(", ")} and ${hosts.at(-1)}`;
}

function fingerprint(failure: TaskFailure): string {
  return `${failure.code}\n${failure.name}\n${failure.message.slice(0, fingerprintCharsMax)}`;
}

function times(n: number): string {
  return n === 1 ? "once" : `${n} times`;
}

function retriesAllowed(retries: number): string {
  return retries === 1 ? "1 retry is allowed" : `${retries} retries are allowed`;
}

function giveUp(reason: string): Verdict {
  return { kind: "give-up", reason };
}

/** Names the timer that ends a task's sleep. Names of jobs have no slash. */
export function timerKey(job: string, stage: number, task: number, wakeAt: number): string {
  return `${job}/${stage}/${task}/${wakeAt}`;
}
