/** Where the daemon's log goes: JSON lines on standard output, or lines for people where that is a terminal. */
import type { Logger } from "pino";
import { openLog } from "../../master/log.ts";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import { type Look, lookOf } from "../progress/look.ts";

export function openDaemonLog({ logLevel, tokens }: DaemonSettings): Logger {
  const options = { level: logLevel, secrets: Object.values(tokens) };
  if (!process.stdout.isTTY) return openLog(options);
  const look = lookOf(process.stdout);
  return openLog({ ...options, write: (line) => void process.stdout.write(`${forPeople(line, look)}\n`) });
}

const colours = { fatal: "red", error: "red", warn: "yellow", info: "green", debug: "dim", trace: "dim" } as const;

/** `14:05:09 info  serving  url=http://127.0.0.1:8989`, and the stack of an error below it. */
export function forPeople(line: string, look: Look): string {
  const {
    level,
    time,
    msg,
    pid: _,
    err,
    ...fields
  } = JSON.parse(line) as {
    readonly level: keyof typeof colours;
    readonly time: string;
    readonly msg?: string;
    readonly pid: number;
    readonly err?: { readonly stack?: string; readonly message?: string };
  };
  const details = Object.entries(fields).map(([key, value]) => {
    return `${look.paint("dim", `${key}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  const at = look.paint("dim", new Date(time).toLocaleTimeString("sv-SE"));
  const trace = err === undefined ? "" : `\n${err.stack ?? err.message ?? ""}`;
  return `${at} ${look.paint(colours[level], level.padEnd(5))} ${[msg ?? "", ...details].join("  ")}${trace}`;
}
