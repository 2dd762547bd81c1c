/** A job's events as lines. */
import type { JobEvent } from "../../client/master-api.ts";
import type { Look, Style } from "../progress/look.ts";
import { localTime } from "./local-time.ts";

const levelStyles: Readonly<Partial<Record<JobEvent["level"], Style>>> = {
  warning: "yellow",
  error: "red",
  debug: "dim",
};

/** `--events`, `disco events`: time, host, task, message. */
export function formatEvent(event: JobEvent, look: Look): string {
  const mark = event.level === "warning" || event.level === "error" ? `${event.level.toUpperCase()}: ` : "";
  // Many of Disco's own messages name the task already.
  const task = event.task === null || event.message.includes(event.task) ? "" : ` [${event.task}]`;
  const style = levelStyles[event.level];
  const text = `${mark}${event.message}`;
  return `${look.paint("dim", timeOf(event))} ${look.paint("cyan", event.host)}${task} ${style === undefined ? text : look.paint(style, text)}`;
}

/** On the reader's clock, with milliseconds: what happens within a second is what one looks for. */
function timeOf({ time }: JobEvent): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : `${localTime(at)}.${String(at % 1000).padStart(3, "0")}`;
}

/** What the user's functions print (`console.log`) is shown always; `null` for Disco's own events. */
export function formatTaskMessage(event: JobEvent): string | null {
  return event.task !== null && event.level === "message" ? `[${event.task}] ${event.message}` : null;
}
