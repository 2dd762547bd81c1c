/** Lines of the processes of a cluster, each with the name of who says it. */
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import { forPeople } from "../daemon/log.ts";
import type { Look } from "../progress/look.ts";

type Level = DaemonSettings["logLevel"];

const levels: readonly string[] = ["trace", "debug", "info", "warn", "error", "fatal"];

/** A line of a log, as far as it counts here. */
export interface LogLine {
  readonly level: string;
  readonly msg?: string;
  readonly url?: string;
}

export function logLineOf(text: string): LogLine | null {
  if (!text.startsWith("{")) return null;
  try {
    const line = JSON.parse(text) as Partial<LogLine>;
    return typeof line.level === "string" ? (line as LogLine) : null;
  } catch {
    return null;
  }
}

/** Processes tell at least this much: by it they are known to be ready. */
export function toldLevel(wanted: Level): Level {
  return wanted === "trace" || wanted === "debug" ? wanted : "info";
}

/** The line as it is shown; `null`: it is not. `people`: the lines of logs as a person reads them, else as they are. */
export function shownLine(name: string, text: string, wanted: Level, people: Look | null): string | null {
  const line = logLineOf(text);
  // Servers of NATS mark theirs: what is no warning is of interest only to those who look for something.
  const level = line?.level ?? (/\[(?:WRN|ERR|FTL)\]/.test(text) ? "warn" : name === "nats" ? "debug" : "error");
  // What ended it follows in words, with what to do; its stack is for logs.
  if (people !== null && line?.level === "fatal" && line.msg === "failed") return null;
  if (wanted === "silent" || levels.indexOf(level) < levels.indexOf(wanted)) return null;
  return `${name.padEnd(7)} | ${line === null || people === null ? text : forPeople(text, people)}`;
}
