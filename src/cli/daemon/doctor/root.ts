/** The root directory: can it be written, is there room, and can its journal be read. */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DiscoError } from "../../../errors.ts";
import { daemonJournalName } from "../../../settings/daemon-settings.ts";
import { formatBytes, formatCount } from "../../progress/quantity.ts";
import { type Finding, fail, messageOf, ok, warn } from "./finding.ts";

/** Below so much free space a warning is in place: a job of some size may not fit. */
const freeBytesMin = 2 ** 30;
const temporaryBytesMin = 100 * 2 ** 20;
/** Each output of a task is a file. */
const freeFilesMin = 100_000;
const clockSlackMs = 60_000;
/** From Linux's statfs(2): locks of SQLite are not reliable there. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "SMB"],
  [0xfe534d42, "SMB"],
  [0x517b, "SMB"],
  [0x01021997, "9P"],
]);

/** @param isOwned a daemon has the journal, and answers for it */
export async function checkRoot(root: string, diskReserveBytes: number, isOwned: boolean): Promise<Finding[]> {
  const place = existing(root);
  const room = [...checkRoom(place, diskReserveBytes), checkTemporary()];
  const isThere = place === root;
  try {
    if (!statSync(place).isDirectory()) throw new Error(`${place} is not a directory`);
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const what = isThere ? `the root ${root} cannot be used` : `the root ${root} cannot be made`;
    return [
      fail("root", `${what}: ${messageOf(error)}`, "Choose another: --root, DISCO_ROOT, or root in disco.toml."),
      ...room,
    ];
  }
  if (!isThere) return [ok("root", `the root ${root} will be made at the first use`), ...room];
  return [checkRights(root), ...room, ...checkTimes(root), ...(isOwned ? [] : await checkJournal(root))];
}

function checkRights(root: string): Finding {
  const { mode } = statSync(root);
  if (process.platform !== "win32" && (mode & 0o002) !== 0) {
    return warn("root", `everybody may write to the root ${root}`, `chmod o-w ${root}`);
  }
  if (process.platform !== "win32" && (mode & 0o055) !== 0) {
    return warn(
      "root",
      `other users of this machine may look into the root ${root}`,
      `chmod go-rwx ${root}, unless they are meant to.`,
    );
  }
  return ok("root", `the root is ${root}`);
}

function checkRoom(place: string, diskReserveBytes: number): Finding[] {
  const { type, bavail, bsize, files, ffree } = statfsSync(place);
  const free = bavail * bsize;
  const amount = `${formatBytes(free)} free on the root's disk`;
  const hint = "Purge jobs (`disco purge`), set gc_after, free some space, or choose another root.";
  const findings = [
    free < diskReserveBytes
      ? fail("disk", `${amount}: below the reserve of ${formatBytes(diskReserveBytes)}, no jobs are taken`, hint)
      : free < Math.max(freeBytesMin, 2 * diskReserveBytes)
        ? warn("disk", amount, hint)
        : ok("disk", amount),
  ];
  // Some file systems have no fixed number of files.
  if (files > 0) {
    const inodes = `room for ${formatCount(ffree)} more files on the root's disk`;
    findings.push(
      ffree === 0
        ? fail("inodes", inodes, hint)
        : ffree < freeFilesMin
          ? warn("inodes", inodes, hint)
          : ok("inodes", inodes),
    );
  }
  const network = process.platform === "linux" ? networkFileSystems.get(type >>> 0) : undefined;
  if (network !== undefined) {
    findings.push(
      warn("file-system", `the root is on ${network}`, "Choose a local disk: locks do not always hold there."),
    );
  }
  return findings;
}

function checkTemporary(): Finding {
  const folder = tmpdir();
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    const amount = `${formatBytes(bavail * bsize)} free in ${folder}`;
    return bavail * bsize < temporaryBytesMin
      ? warn("temporary", amount, "Free some space there, or set TMPDIR: functions of jobs may need it.")
      : ok("temporary", amount);
  } catch (error) {
    return warn(
      "temporary",
      messageOf(error),
      "Set TMPDIR to a folder that can be written: functions of jobs may need it.",
    );
  }
}

/** Files of the future: the clock was ahead once, or is behind now. */
function checkTimes(root: string): Finding[] {
  const journal = join(root, daemonJournalName);
  const written = statSync(journal, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const aheadMs = written - Date.now();
  if (aheadMs < clockSlackMs) return [];
  const seconds = Math.round(aheadMs / 1000);
  return [warn("clock", `the journal was written ${seconds} s in the future`, "Correct this machine's clock.")];
}

async function checkJournal(root: string): Promise<Finding[]> {
  const file = join(root, daemonJournalName);
  if (!existsSync(file)) return [ok("journal", "no daemon has run here yet")];
  const { openSqliteJournal } = await import("../../../journal/sqlite.ts");
  try {
    openSqliteJournal(file).closeSync();
    return [ok("journal", `the journal ${file} can be read`)];
  } catch (error) {
    const hint = error instanceof DiscoError ? error.hint : undefined;
    return [fail("journal", messageOf(error), hint ?? "Move it away to begin anew; results stay where they are.")];
  }
}

/** The path, or the nearest above it that is there. */
function existing(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existing(dirname(path));
}
