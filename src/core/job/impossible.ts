/** What cannot happen is told with the story of the task. */
import { DiscoError } from "../../errors.ts";
import type { AttemptId } from "../../protocol/messages.ts";
import type { Stage } from "./stage.ts";
import { stateNames } from "./stage.ts";

export function impossible(
  task: AttemptId & { readonly host?: string },
  stage: Stage | undefined,
  what: string,
): DiscoError {
  const there = stage !== undefined && task.task < stage.tasks;
  const story = there
    ? `it is ${stateNames[stage.state(task.task)]}, live: ${JSON.stringify(stage.live.get(task.task) ?? [])}, ` +
      `next attempt: ${stage.nextAttempt(task.task)}`
    : "there is no such task";
  const place = task.host === undefined ? "" : ` on ${task.host}`;
  return new DiscoError(
    `attempt ${task.attempt} of task ${task.stage}:${task.task} of ${task.job}${place} ${what}; ${story}`,
    { code: "impossible", job: task.job, ...(task.host === undefined ? {} : { node: task.host }) },
  );
}
