/** What a running daemon says of itself in its root (`ROOT/daemon.json`). The lock that counts is that of the journal. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiscoError } from "../errors.ts";
import { type DaemonRecord, daemonRecordName } from "../settings/daemon-settings.ts";

/** For its user only: it says where the daemon listens. */
const recordMode = 0o600;

/** As a whole or not at all: whoever reads it meanwhile sees the one before. */
export function writeDaemonRecord(root: string, record: DaemonRecord): void {
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
export function readDaemonRecord(root: string): DaemonRecord | null {
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
export function removeDaemonRecord(root: string, instance: string): void {
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
