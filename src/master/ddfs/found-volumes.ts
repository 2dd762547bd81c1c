/** What lies in volumes of nodes, read from their disks, without any master or node. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isHash } from "../../blobs/volumes/layout.ts";
import { parseSum, sumName } from "../../blobs/volumes/sum.ts";
import { isObject } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";

export interface FoundVolume {
  readonly directory: string;
  /** Paths of blobs. */
  readonly blobs: readonly string[];
}

/**
 * Volumes below data directories of nodes (`DIR/ddfs/vol0` …), and in folders of further volumes (`DIR/ddfs`).
 * @throws DiscoError `no-volume` naming a directory that has none
 */
export async function foundVolumes(
  directories: readonly string[],
  isMeant: (volume: string) => boolean = () => true,
): Promise<FoundVolume[]> {
  const found: FoundVolume[] = [];
  for (const directory of directories) {
    const ddfs = join(directory, "ddfs");
    const names = await readdir(ddfs).catch((): string[] => []);
    const volumes = names.includes("blob") ? [ddfs] : names.filter((name) => isVolume(name) && isMeant(name));
    if (volumes.length === 0) {
      throw new DiscoError(`${directory} has no volumes of DDFS`, {
        code: "no-volume",
        hint: "Name the data directories of nodes: those that have a folder `ddfs` with `vol0` in it.",
      });
    }
    for (const name of volumes) {
      const volume = name === ddfs ? ddfs : join(ddfs, name);
      found.push({ directory: volume, blobs: await blobsOf(volume) });
    }
  }
  return found;
}

/** Whether the bytes of the file are those that were stored. */
export async function isSound(file: string): Promise<boolean> {
  try {
    const sum = parseSum(await readFile(join(dirname(file), sumName(basename(file))), "utf8"));
    if (sum === null || (await stat(file)).size !== sum.size) return false;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    return hash.digest("hex") === sum.digest;
  } catch {
    return false;
  }
}

function isVolume(name: string): boolean {
  return /^vol\d{1,4}$/.test(name);
}

async function blobsOf(volume: string): Promise<string[]> {
  const blobs: string[] = [];
  for (const hash of (await readdir(join(volume, "blob")).catch((): string[] => [])).sort()) {
    if (!isHash(hash)) continue;
    const directory = join(volume, "blob", hash);
    for (const name of await readdir(directory)) if (isObject(name)) blobs.push(join(directory, name));
  }
  return blobs;
}
