/**
 * How far a stage is, how fast, and how long it still takes, from what the master says of it.
 *
 * The fraction is that of bytes where the stage's size is known, else that of tasks; tasks that have not yet ended count
 * by the bytes they have read. The rate is over the whole stage, which is steadier than the last second; it needs a
 * moment before it means anything, so there is no estimate in the first half second.
 */
import type { StageInfo } from "../../client/master-api.ts";

const estimateAfterMs = 500;

export type StageState = "waiting" | "running" | "done";

export interface StageReading {
  readonly name: string;
  readonly state: StageState;
  readonly done: number;
  readonly tasks: number;
  readonly failed: number;
  readonly bytes: number;
  readonly records: number;
  /** 0 to 1. */
  readonly fraction: number;
  /** 0: not known, as of a stage that was over before one could look. */
  readonly bytesPerSecond: number;
  readonly elapsedSeconds: number;
  /** `null`: nobody can tell yet. */
  readonly remainingSeconds: number | null;
}

export class StageMeter {
  #startedAt: number | null = null;
  #endedAt: number | null = null;

  read(stage: StageInfo, now: number): StageReading {
    const begun = stage.running > 0 || stage.done > 0 || stage.bytesIn > 0;
    const ended = stage.tasks > 0 && stage.done >= stage.tasks;
    if (begun) this.#startedAt ??= now;
    if (ended) this.#endedAt ??= now;
    const startedAt = this.#startedAt;
    const elapsedMs = startedAt === null ? 0 : (this.#endedAt ?? now) - startedAt;
    const fraction = ended ? 1 : fractionOf(stage);
    const running = begun && !ended;
    return {
      name: stage.stage,
      state: ended ? "done" : begun ? "running" : "waiting",
      done: stage.done,
      tasks: stage.tasks,
      failed: stage.failed,
      bytes: stage.bytesIn,
      records: stage.recordsIn,
      fraction,
      bytesPerSecond: elapsedMs === 0 ? 0 : (stage.bytesIn / elapsedMs) * 1000,
      elapsedSeconds: elapsedMs / 1000,
      remainingSeconds:
        running && elapsedMs >= estimateAfterMs && fraction > 0 ? (elapsedMs * (1 - fraction)) / fraction / 1000 : null,
    };
  }
}

function fractionOf(stage: StageInfo): number {
  if (stage.tasks === 0) return 0;
  const byTasks = stage.done / stage.tasks;
  const byBytes = stage.bytesTotal > 0 ? stage.bytesIn / stage.bytesTotal : 0;
  return Math.min(1, Math.max(byTasks, byBytes));
}
