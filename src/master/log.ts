/** The daemon's log: one JSON object a line, on standard output. */
import { type Logger, pino } from "pino";
import type { DaemonSettings } from "../settings/daemon-settings.ts";

/** As much of pino's interface as is used. Fields first; the message is constant text, so that lines can be searched for it. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface LogOptions {
  readonly level: DaemonSettings["logLevel"];
  /** Texts that are never written, wherever they come from: tokens. */
  readonly secrets?: readonly string[];
  /** Where lines go. Default: standard output, at once, so that the last line before an end is there. */
  readonly write?: (line: string) => void;
}

/** For parts that are composed without a log. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

export function openLog({ level, secrets = [], write }: LogOptions): Logger {
  const hidden = secrets.filter((secret) => secret !== "").map((secret) => JSON.stringify(secret).slice(1, -1));
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        streamWrite: (line) => hidden.reduce((text, secret) => text.replaceAll(secret, "[secret]"), line),
      },
    },
    write === undefined ? pino.destination({ fd: 1, sync: true }) : { write },
  );
}

function ignore(): void {
  // Nobody listens.
}
