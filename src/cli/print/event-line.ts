/** A job's events as lines. */
import type { JobEvent } from "../../client/master-api.ts";

/** `--events`, `disco events`: time, host, task, message. */
export function formatEvent(event: JobEvent): string {
  const mark = event.level === "warning" || event.level === "error" ? `${event.level.toUpperCase()}: ` : "";
  // Many of Disco's own messages name the task already.
  const task = event.task === null || event.message.includes(event.task) ? "" : ` [${event.task}]`;
  return `${event.time} ${event.host}${task} ${mark}${event.message}`;
}

/** What the user's functions print (`console.log`) is shown always; `null` for Disco's own events. */
export function formatTaskMessage(event: JobEvent): string | null {
  return event.task !== null && event.level === "message" ? `[${event.task}] ${event.message}` : null;
}
