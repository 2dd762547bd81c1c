/**
 * Removes what is nobody's in a volume: uploads that were cut off with their process, sums whose blob was deleted a moment before it
 * was, and blobs that were set aside so long ago that nobody will look at them.
 *
 * A volume has one process: what that one is not writing, nobody is.
 */
import { join } from "node:path";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";

/** Long enough for somebody to come back from a holiday and look. */
const damagedAgeMs = 60 * 24 * 60 * 60 * 1000;

export interface SweepParts {
  readonly disk: Disk;
  /** Its directory. */
  readonly volume: string;
  readonly isWritten: (file: string) => boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** How many files went. What cannot be looked at stays. */
export async function sweep({ disk, volume, isWritten, now }: SweepParts): Promise<number> {
  let swept = 0;
  for (const hash of await hashesOf(disk, volume)) {
    const directory = layout.directoryOf(volume, hash);
    const names = await disk.list(directory).catch(() => []);
    const objects = new Set(names);
    for (const name of names) {
      const file = join(directory, name);
      const summed = layout.objectOfSum(name);
      const isNobodys =
        layout.isPartial(name) ||
        (summed !== null && !objects.has(summed)) ||
        (layout.isDamaged(name) && (await isOlder(disk, file, now - damagedAgeMs)));
      if (!isNobodys || isWritten(file)) continue;
      // Its blob may have come since the directory was read.
      if (summed !== null && (await disk.stat(join(directory, summed))) !== null) continue;
      if (isWritten(file)) continue;
      await disk.remove(file);
      swept++;
    }
  }
  return swept;
}

/** Directories of a volume that there are, ascending. */
export async function hashesOf(disk: Disk, volume: string): Promise<string[]> {
  return (await disk.list(layout.blobDirectory(volume))).filter(layout.isHash).sort();
}

async function isOlder(disk: Disk, file: string, than: number): Promise<boolean> {
  const found = await disk.stat(file).catch(() => null);
  return found !== null && found.modifiedAt < than;
}
