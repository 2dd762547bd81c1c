/**
 * Says why a job gets nowhere. A task that fails once is tried again, and nobody needs to know; one that fails again and again is
 * a mistake that another hundred tries will not mend, and whoever looks at the progress should see it and not have to ask for the
 * events. Each reason is said once, whatever numbers are in it.
 */
import type { JobEvent } from "../../client/master-api.ts";

/** More than a job of functions may fail by default: of such a job the end says it. */
const failuresUntilSaid = 5;
/** Where a failure takes its time, two are enough: the second so long after the first. */
const secondAfterMs = 3_000;
/** Reasons of one job; the rest is in its events. */
const saidMax = 10;

export class RepeatedFailures {
  readonly #failures = new Map<string, { count: number; readonly since: number }>();
  readonly #said = new Set<string>();

  /** A line for people, if this event is worth one. */
  lineOf({ task, level, message, time }: JobEvent): string | null {
    if (task === null || level !== "warning") return null;
    const head = `WARNING: [${task}] `;
    if (!message.startsWith(head)) return null;
    const at = Date.parse(time);
    const failures = this.#failures.get(task) ?? { count: 0, since: at };
    failures.count++;
    this.#failures.set(task, failures);
    const isRepeated = failures.count >= failuresUntilSaid || at - failures.since >= secondAfterMs;
    const why = message.slice(head.length).trimEnd();
    const reason = why.replace(/\d+/g, "0");
    if (!isRepeated || this.#said.size >= saidMax || this.#said.has(reason)) return null;
    this.#said.add(reason);
    return `[${task}] failed ${failures.count} times, and is tried again: ${why}`;
  }
}
