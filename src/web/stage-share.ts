/** What part of a stage is done and runs: of the width of a bar, and in words. */
import type { StageInfo } from "../client/master-api.ts";
import { count } from "./format.ts";

export interface StageShare {
  /** 0 to 1; together with `running` at most 1. */
  readonly done: number;
  readonly running: number;
  /** For those who do not see the bar. */
  readonly words: string;
}

export function stageShare({ stage, tasks, done, running, queued, waiting, failed }: StageInfo): StageShare {
  if (tasks <= 0) return { done: 0, running: 0, words: `${stage}: not planned yet` };
  const doneShare = Math.min(1, done / tasks);
  const words = [`${count(done)} of ${count(tasks)} done`];
  if (running > 0) words.push(`${count(running)} running`);
  if (queued > 0) words.push(`${count(queued)} queued`);
  if (waiting > 0) words.push(`${count(waiting)} waiting`);
  if (failed > 0) words.push(`${count(failed)} failed attempts`);
  return {
    done: doneShare,
    running: Math.min(1 - doneShare, running / tasks),
    words: `${stage}: ${words.join(", ")}`,
  };
}
