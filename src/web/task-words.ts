/** What is the matter with a task, in words. */
import type { AttemptInfo, TaskInfo } from "../client/master-api.ts";
import { duration } from "./format.ts";

export function taskText({ status, waits, wakeAt, done }: TaskInfo, now: number): string {
  if (status === "sleeping" && wakeAt !== null) return `tried again in ${duration(Math.max(0, wakeAt - now))}`;
  if (status === "done" && done !== null) return `done on ${done.host}`;
  if (status === "gone") return "its output was lost, and nobody needs it now";
  return waits === null ? "" : `waits: ${waits}`;
}

export function attemptText({ attempt, host, startedAt, speculative }: AttemptInfo, now: number): string {
  const which = attempt === 0 ? "" : `attempt ${attempt + 1} `;
  const beside = speculative ? ", beside a slow one" : "";
  const where = startedAt === null ? `queued on ${host}` : `on ${host} for ${duration(now - startedAt)}`;
  return `${which}${where}${beside}`;
}
