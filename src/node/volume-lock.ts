/**
 * The lock on the data of a node or a master: two processes never write to one disk as if it were theirs. It is a lock of SQLite, which the system
 * gives back when the process ends, however it ends; a file with a process id would outlive it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DiscoError } from "../errors.ts";
import { privateDirectoryMode } from "./private-modes.ts";

/** The function that is returned gives it back. @throws DiscoError `volume-busy`, `bad-root` */
export function lockFolder(dataDir: string, name: string): () => void {
  const file = join(dataDir, name);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: privateDirectoryMode });
    database = new DatabaseSync(file);
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (cause) {
    database?.close();
    const busy = (cause as { errcode?: number }).errcode === 5;
    if (!busy) {
      throw new DiscoError(`data cannot be written to ${dataDir}: ${(cause as Error).message}`, {
        code: "bad-root",
        cause,
        hint: "Choose another folder with --volumes or --root, or make it writable.",
      });
    }
    throw new DiscoError(`another process of this machine uses ${dataDir}`, {
      code: "volume-busy",
      cause,
      hint: "Each node and each master needs a folder of its own: --volumes or --root.",
    });
  }
  const held = database;
  return () => held.close();
}
