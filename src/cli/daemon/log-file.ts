/** `ROOT/daemon.log`: what a daemon in the background says. For its user only; appended to, so that it can be cut while it runs. */
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { daemonLogName } from "../../settings/daemon-settings.ts";

const logMode = 0o600;
/** At a start, a larger log is put aside as `daemon.log.1`, in place of the one that was there. */
export const logBytesMax = 10 * 2 ** 20;
const tailBytesMax = 8192;

export function logFileOf(root: string): string {
  return join(root, daemonLogName);
}

export interface OpenLog {
  readonly fd: number;
  /** Where the new daemon's part begins. */
  readonly offset: number;
}

/** Opens the log for a daemon that is about to start. The caller closes it. */
export function openLogFile(root: string): OpenLog {
  const file = logFileOf(root);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && stats.size > logBytesMax) renameSync(file, `${file}.1`);
  const fd = openSync(file, "a", logMode);
  return { fd, offset: fstatSync(fd).size };
}

/** The last lines that were written behind `offset`. */
export function logTail(root: string, offset: number, lines: number): string {
  const fd = openSync(logFileOf(root), "r");
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(offset, size - tailBytesMax);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const text = bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, from));
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  } finally {
    closeSync(fd);
  }
}
