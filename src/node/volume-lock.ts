/**
 * The lock on a node's data: two processes never write to one disk as if it were theirs. It is a lock of SQLite, which the system
 * gives back when the process ends, however it ends; a file with a process id would outlive it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DiscoError } from "../errors.ts";
import { privateDirectoryMode } from "./private-modes.ts";

const lockName = "node.lock";

/** The function that is returned gives it back. @throws DiscoError `volume-busy`, `bad-root` */
export function lockVolume(dataDir: string): () => void {
  const file = join(dataDir, lockName);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: privateDirectoryMode });
    database = new DatabaseSync(file);
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (cause) {
    database?.close();
    const busy = (cause as { errcode?: number }).errcode === 5;
    if (!busy) {
      throw new DiscoError(`the node's data cannot be written to ${dataDir}: ${(cause as Error).message}`, {
        code: "bad-root",
        cause,
        hint: "Choose another folder with --volumes or --root, or make it writable.",
      });
    }
    throw new DiscoError(`another process of this machine is the node of ${dataDir}`, {
      code: "volume-busy",
      cause,
      hint: "Each node needs a folder of its own: --volumes or --root.",
    });
  }
  const held = database;
  return () => held.close();
}
