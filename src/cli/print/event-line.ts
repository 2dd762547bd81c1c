/** A job's events as lines. */
import type { JobEvent } from "../../client/master-api.ts";
import type { Look, Style } from "../progress/look.ts";
import { localTime } from "./local-time.ts";

const levelStyles: Readonly<Partial<Record<JobEvent["level"], Style>>> = {
  warning: "yellow",
  error: "red",
  debug: "dim",
};

/** Many of Disco's own messages say how bad it is already. */
const levelWord = /^(?:WARN|WARNING|ERROR|FATAL): /;

/** `--events`, `disco events`: time, host, task, message. */
export function formatEvent(event: JobEvent, look: Look): string {
  const isMarked = (event.level !== "warning" && event.level !== "error") || levelWord.test(event.message);
  const mark = isMarked ? "" : `${event.level.toUpperCase()}: `;
  // They name the task as well.
  const task = event.task === null || event.message.includes(event.task) ? "" : ` [${event.task}]`;
  const style = levelStyles[event.level];
  const text = `${mark}${event.message}`.trimEnd();
  return `${look.paint("dim", timeOf(event))} ${look.paint("cyan", event.host)}${task} ${style === undefined ? text : look.paint(style, text)}`;
}

/** On the reader's clock, with milliseconds: what happens within a second is what one looks for. */
function timeOf({ time }: JobEvent): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? time : `${localTime(at)}.${String(at % 1000).padStart(3, "0")}`;
}

/** What the user's functions print (`console.log`) is shown always; `null` for Disco's own events. */
export function formatTaskMessage(event: JobEvent): string | null {
  return event.task !== null && event.level === "message" ? `[${event.task}] ${event.message.trimEnd()}` : null;
}
