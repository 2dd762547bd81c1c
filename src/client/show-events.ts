/** Prints a job's events to stderr while somebody waits for it (`wait({ show })`, `DISCO_EVENTS`). */
import { styleText } from "node:util";
import { badOption } from "./bad-option.ts";
import type { JobEvent } from "./master-api.ts";
import { shown } from "./option-checks.ts";

/** `true` or `"1"`: lines, coloured on a terminal; `"nocolor"`: never coloured; `"json"`: one JSON object a line. */
export type Show = boolean | "" | "0" | "1" | "json" | "nocolor";

/** What to print: as asked for, else as `DISCO_EVENTS` says. Throws `JobError` `bad-option`. */
export function showMode(show: Show | undefined): "none" | "lines" | "nocolor" | "json" {
  switch (show ?? process.env["DISCO_EVENTS"] ?? "") {
    case "":
    case "0":
    case false:
      return "none";
    case "1":
    case true:
      return "lines";
    case "nocolor":
      return "nocolor";
    case "json":
      return "json";
    default:
      // Whatever else stands in the environment means "yes", as for Disco.
      if (show === undefined) return "lines";
      throw badOption(`show: true, false, "json" or "nocolor" was expected, not ${shown(show)}`);
  }
}

/** Prints all events until they end. */
export async function showEvents(
  events: AsyncIterable<[offset: number, event: JobEvent]>,
  mode: "lines" | "nocolor" | "json",
): Promise<void> {
  for await (const [offset, event] of events) {
    process.stderr.write(
      mode === "json" ? `${JSON.stringify({ offset, ...event })}\n` : eventLine(event, mode === "lines"),
    );
  }
}

function eventLine({ time, host, task, level, message }: JobEvent, coloured: boolean): string {
  const place = task === null ? host : `${host} ${task}`;
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    coloured ? styleText(style, text, { stream: process.stderr }) : text;
  const text = level === "error" ? paint("red", message) : level === "warning" ? paint("yellow", message) : message;
  return `${paint("dim", time.slice(11, 23))} ${paint("cyan", place)} ${text}\n`;
}
