/**
 * Takes in what nodes report. Ends of attempts are decided by, and become events; progress and messages are shown as they come.
 *
 * A batch that could not be journaled comes again as a whole. What it says besides is taken in before its events are journaled,
 * since a task's words belong before its end; so messages that were heard already are passed over the second time.
 */
import type { MasterEvent } from "../core/events.ts";
import type { MasterMachine } from "../core/master.ts";
import type { AttemptId, NodeReport } from "../protocol/messages.ts";
import type { JobSignals } from "./job-signals.ts";
import type { LiveProgress } from "./live-progress.ts";
import type { TaskLines } from "./task-lines.ts";

export interface ReportTakerParts {
  readonly progress: LiveProgress;
  readonly signals: JobSignals;
  readonly lines: TaskLines;
  /** The present state. */
  readonly machine: () => MasterMachine;
}

export class ReportTaker {
  readonly #parts: ReportTakerParts;
  /** By node: messages of its last batch that were heard. */
  readonly #heard = new Map<string, number>();

  constructor(parts: ReportTakerParts) {
    this.#parts = parts;
  }

  /** The events that a batch comes to. `at`: ms since 1970. Call `taken` when they are in the journal. */
  take(host: string, reports: readonly NodeReport[], at: number): MasterEvent[] {
    const heard = this.#heard.get(host) ?? 0;
    let messages = 0;
    const events: MasterEvent[] = [];
    for (const report of reports) {
      if (report.kind === "message" && ++messages <= heard) continue;
      if (this.#isOfOther(host, report)) continue;
      this.#show(host, report, at);
      const event = eventOf(report, at);
      if (event !== null) events.push(event);
    }
    this.#heard.set(host, messages);
    return events;
  }

  /** The node's last batch is in the journal, and will not come again. */
  taken(host: string): void {
    this.#heard.delete(host);
  }

  #show(host: string, report: NodeReport, at: number): void {
    const { progress, signals, lines, machine } = this.#parts;
    if (report.kind === "progress") {
      if (!this.#isLive(report)) return;
      progress.set(attemptOf(report), report.progress);
      signals.changed(report.job);
    } else if (report.kind === "began") {
      if (!this.#isLive(report)) return;
      machine().began(report, at - report.agoMs);
      signals.changed(report.job);
    } else if (report.kind === "message") {
      if (this.#isLive(report)) lines.said(host, this.#titleOf(report), report, at);
    } else {
      progress.end(report);
      lines.ended(host, this.#titleOf(report), report, at);
    }
  }

  /** A node speaks for attempts of its own: those that are over change nothing, whoever tells of them. */
  #isOfOther(host: string, { job, stage, task, attempt }: AttemptId): boolean {
    const live = this.#parts.machine().jobs.get(job)?.stages[stage]?.liveAttempt(task, attempt);
    return live !== undefined && live.host !== host;
  }

  #isLive({ job, stage, task, attempt }: AttemptId): boolean {
    return this.#parts.machine().jobs.get(job)?.stages[stage]?.liveAttempt(task, attempt) !== undefined;
  }

  #titleOf({ job, stage, task }: AttemptId): string | null {
    const name = this.#parts.machine().jobs.get(job)?.spec.pipeline[stage]?.name;
    return name === undefined ? null : `${name}:${task}`;
  }
}

function eventOf(report: NodeReport, at: number): MasterEvent | null {
  const id = attemptOf(report);
  switch (report.kind) {
    case "done":
      return { kind: "task-done", at, ...id, output: report.output, ...ranFor(report.ranMs) };
    case "failed":
      return { kind: "task-failed", at, ...id, failure: report.failure };
    case "input-lost":
      return { kind: "input-lost", at, ...id, lost: report.lost, failure: report.failure };
    case "lost":
      return { kind: "task-lost", at, ...id, reason: report.reason };
    default:
      return null;
  }
}

function ranFor(ranMs: number | undefined): { ranMs?: number } {
  return ranMs === undefined ? {} : { ranMs };
}

/** Only what identifies the attempt: reports carry more. */
function attemptOf({ job, stage, task, attempt }: AttemptId): AttemptId {
  return { job, stage, task, attempt };
}
