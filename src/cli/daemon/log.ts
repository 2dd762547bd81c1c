/**
 * The daemon's own log: JSON lines of pino, and lines for people where somebody looks at them on a terminal. Written without
 * waiting, so that a slow reader does not stop the daemon.
 */
import { pino } from "pino";
import type { DaemonSettings } from "../../settings/daemon-settings.ts";
import type { Look } from "../progress/look.ts";

/** Where tokens stand in what might be logged by mistake. */
const secretPaths = ["token", "tokens", "authorization", "*.token", "*.tokens", "*.authorization", "*.*.authorization"];

export interface DaemonLog {
  readonly log: pino.Logger;
  /** Writes what waits, before the process ends. */
  flush(): void;
}

/** @param look given: lines for people */
export function openLog(level: DaemonSettings["logLevel"], look: Look | null): DaemonLog {
  const options = { level, base: null, redact: secretPaths, formatters: { level: (label: string) => ({ level: label }) } };
  if (look !== null) {
    const write = (line: string): void => void process.stdout.write(`${forPeople(line, look)}\n`);
    return { log: pino(options, { write }), flush: () => undefined };
  }
  const destination = pino.destination({ fd: 1, sync: false });
  // Whoever read the lines has gone: the daemon stays.
  destination.on("error", () => undefined);
  return {
    log: pino(options, destination),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // Not open yet, or not writable any more: there is nobody to tell.
      }
    },
  };
}

const colours = { fatal: "red", error: "red", warn: "yellow", info: "green", debug: "dim", trace: "dim" } as const;

/** `14:05:09 info  serving  url=http://127.0.0.1:8989` */
function forPeople(line: string, look: Look): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as {
    readonly level: keyof typeof colours;
    readonly time: number;
    readonly msg?: string;
    readonly err?: { readonly stack?: string; readonly message?: string };
  };
  const details = Object.entries(fields).map(([key, value]) => {
    return `${look.paint("dim", `${key}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`;
  });
  const head = `${look.paint("dim", new Date(time).toLocaleTimeString("sv-SE"))} ${look.paint(colours[level], level.padEnd(5))}`;
  const trace = err === undefined ? "" : `\n${err.stack ?? err.message ?? ""}`;
  return `${head} ${[msg ?? "", ...details].join("  ")}${trace}`;
}
