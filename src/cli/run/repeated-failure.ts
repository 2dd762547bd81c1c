/**
 * Says why a job gets nowhere. A task that fails once is tried again, and nobody needs to know; one that fails again and again is
 * a mistake that another hundred tries will not mend, and whoever looks at the progress should see it and not have to ask for the
 * events. Each reason is said once, whatever numbers are in it.
 */
import type { JobEvent } from "../../client/master-api.ts";

/** More than a job of functions may fail by default: of such a job the end says it. */
const failuresUntilSaid = 5;
/** Reasons of one job; the rest is in its events. */
const saidMax = 10;

export class RepeatedFailures {
  readonly #failures = new Map<string, number>();
  readonly #said = new Set<string>();

  /** A line for people, if this event is worth one. */
  lineOf({ task, level, message }: JobEvent): string | null {
    if (task === null || level !== "warning") return null;
    const head = `WARNING: [${task}] `;
    if (!message.startsWith(head)) return null;
    const failures = (this.#failures.get(task) ?? 0) + 1;
    this.#failures.set(task, failures);
    const why = message.slice(head.length).trimEnd();
    const reason = why.replace(/\d+/g, "0");
    if (failures < failuresUntilSaid || this.#said.size >= saidMax || this.#said.has(reason)) return null;
    this.#said.add(reason);
    return `[${task}] failed ${failures} times, and is tried again: ${why}`;
  }
}
