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
  for (const [part, isLast] of partsOf(event)) queue.add(encodeEvent(journal, part), isLast ? commands : []);
}

/** Attempts that make room come with the first part, before all that is assigned; what is held back with the last. */
export function partsOf({ tasks, preempted, holds, ...rest }: TasksAssigned): (readonly [TasksAssigned, boolean])[] {
  const parts: (readonly [TasksAssigned, boolean])[] = [];
  for (let from = 0; from === 0 || from < tasks.length; from += tasksPerEventMax) {
    const isLast = from + tasksPerEventMax >= tasks.length;
    const part = {
      ...rest,
      tasks: tasks.slice(from, from + tasksPerEventMax),
      ...(from > 0 || preempted === undefined ? {} : { preempted }),
      ...(!isLast || holds === undefined ? {} : { holds }),
    };
    parts.push([part, isLast]);
  }
  return parts;
}
