/** What job functions can ask about the task they run in (the seed: `disco_worker`, `Task`). */
import { requireTask } from "./task-state.ts";

export const task = {
  /**
   * Stores an out-of-band value of the job under `key`, at most 1,000 a task; text is stored as UTF-8. Of several tasks that put
   * the same key, the one with the highest stage and number counts. Throws `DiscoError` for a bad key or value.
   */
  put(key: string, value: string | Uint8Array): void {
    requireTask("put").put(key, value);
  },
  /**
   * An out-of-band value of this task, of an earlier stage of this job, or of another job. Throws `DiscoError`
   * `unknown-key`.
   */
  get(key: string, job?: string): Uint8Array {
    return requireTask("get").get(key, job);
  },
  /** A number from 0 up to, not including, 1: the same sequence in each attempt of the same task. */
  random(): number {
    return requireTask("random").random();
  },
  /** Label of the partition that this task works on; of a map, the label of its input. */
  get partition(): number {
    return requireTask("partition").partition;
  },
  /** Name of the node. */
  get host(): string {
    return requireTask("host").host;
  },
  /** Address of the master. */
  get master(): string {
    return requireTask("master").master;
  },
  /** Addresses that this task reads. */
  get inputs(): readonly string[] {
    return requireTask("inputs").inputs;
  },
  get jobName(): string {
    return requireTask("jobName").jobName;
  },
  /** Name of the stage: `map`, `reduce` … */
  get stage(): string {
    return requireTask("stage").stage;
  },
  /** Number of the task within its stage, from 0. */
  get id(): number {
    return requireTask("id").id;
  },
  /** Number of this attempt of the task, from 0. */
  get attempt(): number {
    return requireTask("attempt").attempt;
  },
};
