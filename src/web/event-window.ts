/**
 * The events that the page keeps. A job may have millions: the newest of each level stay, so that the one error of yesterday is not
 * pushed out by the messages of today.
 */
import type { JobEvent } from "../client/master-api.ts";

export type EventLevel = JobEvent["level"];

/** From the least to the most important. */
const levels: readonly EventLevel[] = ["debug", "info", "message", "warning", "error"];
/** Events of each level that are kept. */
export const keptEventsMax = 1_000;
/** Events that are shown at once. */
export const shownEventsMax = 500;

export interface KeptEvent {
  /** Counts from 0, in the order of the log. */
  readonly number: number;
  readonly event: JobEvent;
}

export class EventWindow {
  readonly #kept = new Map<EventLevel, KeptEvent[]>(levels.map((level) => [level, []]));
  #total = 0;

  /** Events seen, kept or not. */
  get total(): number {
    return this.#total;
  }

  add(event: JobEvent): void {
    const kept = this.#kept.get(event.level);
    if (kept === undefined) return;
    kept.push({ number: this.#total++, event });
    // Not one by one: each cut copies.
    if (kept.length >= 2 * keptEventsMax) kept.splice(0, kept.length - keptEventsMax);
  }

  clear(): void {
    for (const kept of this.#kept.values()) kept.length = 0;
    this.#total = 0;
  }

  /** The newest events of that level and above, the newest first. */
  newest(level: EventLevel): KeptEvent[] {
    const wanted = levels.slice(Math.max(0, levels.indexOf(level)));
    return wanted
      .flatMap((one) => (this.#kept.get(one) ?? []).slice(-shownEventsMax))
      .sort((a, b) => b.number - a.number)
      .slice(0, shownEventsMax);
  }
}
