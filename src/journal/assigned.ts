/** Assignments on their way into a journal whose records are small. */
import type { Command } from "../core/commands.ts";
import type { TasksAssigned } from "../core/events.ts";
import type { CommitQueue } from "./commit-queue.ts";
import { encodeEvent } from "./commit-queue.ts";
import type { Journal } from "./journal.ts";

/** Assignments in one event: some 100 bytes each. */
export const tasksPerEventMax = 1_000;

/** Of a thousand nodes with room for all their tasks, that are more than a record may hold: it is written in parts. */
export function addAssigned(
  journal: Journal,
  queue: CommitQueue,
  { event, commands }: { readonly event: TasksAssigned; readonly commands: readonly Command[] },
): void {
  const { tasks, ...rest } = event;
  for (let from = tasksPerEventMax; from < tasks.length; from += tasksPerEventMax) {
    const part = { kind: event.kind, at: event.at, tasks: tasks.slice(from - tasksPerEventMax, from) };
    queue.add(encodeEvent(journal, part), []);
  }
  const last = tasks.slice(Math.floor(Math.max(0, tasks.length - 1) / tasksPerEventMax) * tasksPerEventMax);
  queue.add(encodeEvent(journal, { ...rest, tasks: last }), commands);
}
