/** What a node knows of its disk: how full it is, and which one it is. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { privateDirectoryMode } from "./private-modes.ts";

/** A name that stays with the directory: a node that comes back with another disk has lost what it held. */
export async function diskIdentity(directory: string): Promise<string> {
  const file = join(directory, "disk-identity");
  const known = await readFile(file, "utf8").catch(() => "");
  if (known !== "") return known;
  await mkdir(directory, { recursive: true, mode: privateDirectoryMode });
  const proposal = `${file}.${randomUUID()}`;
  try {
    await writeFile(proposal, randomUUID());
    // Whoever comes first names it; a link appears with its contents, or not at all.
    await link(proposal, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(proposal, { force: true });
  }
  return await readFile(file, "utf8");
}

/** Free and used bytes of the disk that holds a directory. */
export async function diskSpace(directory: string): Promise<{ diskFreeBytes: number; diskUsedBytes: number }> {
  try {
    const { bsize, blocks, bavail, bfree } = await statfs(directory);
    return { diskFreeBytes: bavail * bsize, diskUsedBytes: (blocks - bfree) * bsize };
  } catch {
    // Not every file system tells.
    return { diskFreeBytes: 0, diskUsedBytes: 0 };
  }
}

export const diskFullHint = "Purge jobs that are not needed any more, free some space, or choose another root.";

/** The disk is full, or the user's share of it. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}
