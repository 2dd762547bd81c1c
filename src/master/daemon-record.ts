/** What a running daemon says of itself in its root (`ROOT/daemon.json`). The lock that counts is that of the journal. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiscoError } from "../errors.ts";
import { type DaemonRecord, daemonRecordName } from "../settings/daemon-settings.ts";
import type { Log } from "./log.ts";

/** For its user only: it says where the daemon listens. */
const recordMode = 0o600;
const retryMs = 5_000;

/**
 * Says where the daemon is; the function that is returned takes it back. On a full disk it is said when there is room: that a daemon
 * runs is told by the lock on its journal in any case.
 */
export function announce(root: string, record: DaemonRecord, log: Log): () => void {
  let timer: NodeJS.Timeout | undefined;
  const write = (): boolean => {
    try {
      writeDaemonRecord(root, record);
      return true;
    } catch (error) {
      if (timer === undefined)
        log.warn({ reason: String(error) }, "daemon.json could not be written, it is tried again");
      return false;
    }
  };
  if (!write()) {
    timer = setInterval(() => {
      if (write()) clearInterval(timer);
    }, retryMs);
    timer.unref();
  }
  return () => {
    clearInterval(timer);
    removeDaemonRecord(root, record.instance);
  };
}

/** As a whole or not at all: whoever reads it meanwhile sees the one before. */
function writeDaemonRecord(root: string, record: DaemonRecord): void {
  const file = join(root, daemonRecordName);
  const temporary = `${file}.${process.pid}.partial`;
  try {
    writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: recordMode });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** `null`: there is none, or it is none. */
function readDaemonRecord(root: string): DaemonRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(root, daemonRecordName), "utf8")) as Partial<DaemonRecord> | null;
    if (typeof record?.pid !== "number" || typeof record.url !== "string" || typeof record.instance !== "string")
      return null;
    return record as DaemonRecord;
  } catch {
    return null;
  }
}

/** Removes our own record; that of a successor stays. */
function removeDaemonRecord(root: string, instance: string): void {
  if (readDaemonRecord(root)?.instance === instance) rmSync(join(root, daemonRecordName), { force: true });
}

/** Another process owns the journal. */
export function rootBusy(root: string, cause: DiscoError): DiscoError {
  const record = readDaemonRecord(root);
  const who = record === null ? "by another process" : `by the daemon with process id ${record.pid}, at ${record.url}`;
  const remedy =
    record === null
      ? "Wait until that process has ended, or choose another root directory: DISCO_ROOT or --root."
      : `Use that daemon, stop it (disco stop, or kill ${record.pid}), or choose another root directory: DISCO_ROOT or --root.`;
  return new DiscoError(`the root directory ${root} is in use ${who}`, {
    code: "root-busy",
    hint: remedy,
    cause,
    ...(record === null ? {} : { url: record.url }),
  });
}
