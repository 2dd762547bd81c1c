/**
 * How a daemon was started, in `ROOT/daemon-start.json` (mode 0600), beside its `daemon.json`: so that a second `disco start` can
 * tell whether it asks for something else, and `disco restart` starts it as it was. Never the tokens, only which there are.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DaemonSettings, Scope } from "../../settings/daemon-settings.ts";
import type { SettingFlags } from "../../settings/resolve.ts";

const startRecordName = "daemon-start.json";
const recordMode = 0o600;

export interface StartRecord {
  /** Of the daemon that it belongs to. */
  readonly instance: string;
  /** Of the command, with absolute paths. */
  readonly flags: SettingFlags;
  readonly settings: Omit<DaemonSettings, "tokens">;
  /** For which scopes there are tokens. */
  readonly scopes: readonly Scope[];
}

export function startRecordOf(instance: string, flags: SettingFlags, settings: DaemonSettings): StartRecord {
  const { tokens, ...rest } = settings;
  return { instance, flags, settings: rest, scopes: (Object.keys(tokens) as Scope[]).sort() };
}

export function writeStartRecord(root: string, record: StartRecord): void {
  const file = join(root, startRecordName);
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, `${JSON.stringify(record)}\n`, { mode: recordMode });
  renameSync(partial, file);
}

/** `null`: there is none of this daemon. */
export function readStartRecord(root: string, instance: string): StartRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(root, startRecordName), "utf8")) as StartRecord;
    return record.instance === instance ? record : null;
  } catch {
    return null;
  }
}
