/** What running attempts say of their progress. It is nobody's decision, so it is neither journaled nor exact. */
import type { JobInfo, TaskInfo } from "../client/master-api.ts";
import type { AttemptId, TaskProgress } from "../protocol/messages.ts";

export class LiveProgress {
  readonly #jobs = new Map<string, Map<string, { stage: number; progress: TaskProgress }>>();

  set({ job, stage, task, attempt }: AttemptId, progress: TaskProgress): void {
    let attempts = this.#jobs.get(job);
    if (attempts === undefined) this.#jobs.set(job, (attempts = new Map()));
    attempts.set(`${stage}/${task}/${attempt}`, { stage, progress });
  }

  /** The attempt is over: what it did is in its output now, or is nothing. */
  end({ job, stage, task, attempt }: AttemptId): void {
    this.#jobs.get(job)?.delete(`${stage}/${task}/${attempt}`);
  }

  endJob(job: string): void {
    this.#jobs.delete(job);
  }

  /** The job's state with the work of running attempts added to that of finished ones. */
  addTo(info: JobInfo): JobInfo {
    const attempts = this.#jobs.get(info.name);
    if (attempts === undefined || attempts.size === 0) return info;
    const sums = new Map<number, { recordsIn: number; recordsOut: number; bytesIn: number }>();
    for (const { stage, progress } of attempts.values()) {
      const sum = sums.get(stage) ?? { recordsIn: 0, recordsOut: 0, bytesIn: 0 };
      sum.recordsIn += progress.recordsIn;
      sum.recordsOut += progress.recordsOut;
      sum.bytesIn += progress.bytesIn;
      sums.set(stage, sum);
    }
    const stages = info.stages.map((stage, number) => {
      const sum = sums.get(number);
      if (sum === undefined) return stage;
      return {
        ...stage,
        recordsIn: stage.recordsIn + sum.recordsIn,
        recordsOut: stage.recordsOut + sum.recordsOut,
        bytesIn: stage.bytesIn + sum.bytesIn,
      };
    });
    return { ...info, stages };
  }

  /** The task with what its live attempts said. `name`: of the job; `stage`: number of the task's stage in it. */
  addToTask(name: string, stage: number, task: TaskInfo): TaskInfo {
    const attempts = this.#jobs.get(name);
    if (attempts === undefined || task.attempts.length === 0) return task;
    const told = task.attempts.map((attempt) => {
      const progress = attempts.get(`${stage}/${task.task}/${attempt.attempt}`)?.progress ?? null;
      return progress === null ? attempt : { ...attempt, progress };
    });
    return { ...task, attempts: told };
  }
}
