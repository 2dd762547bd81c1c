/** `disco events NAME`: what happened to a job, and with `--follow` what happens. */
import type { JobEvent } from "../../client/master-api.ts";
import { formatEvent } from "../print/event-line.ts";
import { lookOf } from "../progress/look.ts";
import { Outages, printToStderr } from "../run/outages.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

/** From the least important to the most. */
export const eventLevels = ["debug", "info", "message", "warning", "error"] as const;
type EventLevel = JobEvent["level"];

export interface EventsOptions extends StoreOptions {
  readonly follow?: boolean;
  /** Events below this level are left out. */
  readonly level?: EventLevel;
  /** Offset that an earlier event had: what comes after it. */
  readonly from: number;
}

export async function printEvents(word: string, options: EventsOptions): Promise<void> {
  const { json, from, level = "debug", follow = false } = options;
  const least = eventLevels.indexOf(level);
  const look = lookOf(process.stdout);
  const outages = new Outages(printToStderr);
  try {
    await withDisco(options, async (disco) => {
      const name = await resolveName(disco, word);
      for await (const [offset, event] of disco.events(name, from, { follow })) {
        if (eventLevels.indexOf(event.level) < least) continue;
        const line = json === true ? JSON.stringify({ offset, ...event }) : formatEvent(event, look);
        if (!process.stdout.write(`${line}\n`)) await drained();
      }
    });
  } finally {
    outages.close();
  }
}

/** A log may be longer than the memory is large, and the reader slower than its source. */
function drained(): Promise<void> {
  return new Promise((resolve) => process.stdout.once("drain", () => resolve()));
}
