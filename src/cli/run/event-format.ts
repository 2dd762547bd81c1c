/**
 * Which events of its jobs a run shows, and how: `--events`, else what `DISCO_EVENTS` says (`1`, `json`, `nocolor`, as in Disco),
 * else only what the tasks print, and why they fail again and again.
 */
import type { JobEvent } from "../../client/master-api.ts";
import { showMode } from "../../client/show-events.ts";
import { formatEvent, formatTaskMessage } from "../print/event-line.ts";
import { type Look, lookOf } from "../progress/look.ts";
import { RepeatedFailures } from "./repeated-failure.ts";

/** `null`: this one is not shown. */
export type EventFormat = (event: JobEvent, offset: number) => string | null;

/** The run shows what `DISCO_EVENTS` asks for, so that `wait` in the module's code need not: the variable is taken away. */
export function eventFormat(asked: boolean): EventFormat {
  const mode = asked ? "lines" : showMode(undefined);
  delete process.env["DISCO_EVENTS"];
  if (mode === "none") return ofTasks();
  if (mode === "json") return (event, offset) => JSON.stringify({ offset, ...event });
  const look = lookOf(process.stderr);
  const shown: Look = mode === "nocolor" ? { ...look, paint: (_, text) => text } : look;
  return (event) => formatEvent(event, shown);
}

function ofTasks(): EventFormat {
  const failures = new RepeatedFailures();
  return (event) => formatTaskMessage(event) ?? failures.lineOf(event);
}
