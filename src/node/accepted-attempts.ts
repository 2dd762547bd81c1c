/**
 * The attempts of a job that a node has accepted, so that an assignment that comes twice runs once. Numbers of a task's attempts
 * rise and are never used again, so the highest is all there is to know: four bytes a task.
 */
import type { AttemptId } from "../protocol/messages.ts";

const firstTasks = 64;

export class AcceptedAttempts {
  /** By stage: of each task, one more than the highest attempt that was accepted; 0: none. */
  readonly #stages = new Map<number, Int32Array>();

  /** `false`: it was accepted before, or a later one was. */
  add({ stage, task, attempt }: AttemptId): boolean {
    let next = this.#stages.get(stage) ?? new Int32Array(firstTasks);
    if (task >= next.length) {
      const grown = new Int32Array(Math.max(task + 1, next.length * 2));
      grown.set(next);
      next = grown;
    }
    this.#stages.set(stage, next);
    if (attempt < (next[task] as number)) return false;
    next[task] = attempt + 1;
    return true;
  }
}
