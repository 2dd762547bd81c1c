/**
 * Which folder is which volume. The first is `DATA/ddfs/vol0`; those on other disks are `FOLDER/ddfs`, with a number that stays with them,
 * and a link `DATA/ddfs/volN` to where they are now: an address `disco://HOST/ddfs/volN/…` is a path below the data directory, whatever the
 * disk.
 *
 * Each volume has a file that says which one of which node it is. A folder that had been a volume and has no such file is the empty mount
 * point of a disk that is away, and nothing is written to it; one with the file of another node is another's.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { VolumePlace } from "../../blobs/volumes/volumes.ts";
import { DiscoError } from "../../errors.ts";
import { diskIdentity } from "../disk.ts";
import { privateDirectoryMode, privateFileMode } from "../private-modes.ts";

export interface VolumePlacesParts {
  readonly dataDir: string;
  /** Name of the volume in the data directory. */
  readonly first: string;
  /** On other disks. */
  readonly folders: readonly string[];
}

const volumesMax = 1_000;

/** @throws DiscoError `bad-volume`; what the disk of the data directory throws */
export async function volumePlaces({ dataDir, first, folders }: VolumePlacesParts): Promise<VolumePlace[]> {
  const ddfs = join(dataDir, "ddfs");
  const directory = join(ddfs, first);
  await mkdir(directory, { recursive: true, mode: privateDirectoryMode });
  const node = await diskIdentity(directory);
  const markerOf = (name: string): string => `${JSON.stringify({ volume: name, node })}\n`;
  const isMarked = (await lstat(join(directory, "volume")).catch(() => null)) !== null;
  if (!isMarked) await writeMarker(directory, markerOf(first));
  const places: VolumePlace[] = [{ name: first, directory, marker: markerOf(first) }];
  if (folders.length === 0) return places;

  const links = await linksIn(ddfs);
  const used = new Set([first]);
  for (const folder of new Set(folders.map((one) => resolve(one)))) {
    const other = join(folder, "ddfs");
    const linked = links.get(other);
    // What a disk says of itself goes before what the path was: disks may have been mounted the other way round.
    const name = (await nameIn(other, node)) ?? linked ?? freeName(new Set([...used, ...links.values()]));
    if (used.has(name)) throw badVolume(folder, `it is a copy of ${name}`);
    used.add(name);
    if (linked === undefined) {
      await adopt(other, markerOf(name)).catch((cause: Error) => {
        throw badVolume(folder, cause.message, cause);
      });
    }
    if (linked !== name) await relink(join(ddfs, name), other);
    places.push({ name, directory: other, marker: markerOf(name) });
  }
  return places;
}

/** Volumes of other disks that there have been, by where they were last. */
async function linksIn(ddfs: string): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  for (const name of await readdir(ddfs)) {
    const target = /^vol\d{1,4}$/.test(name) ? await readlink(join(ddfs, name)).catch(() => null) : null;
    if (target !== null) links.set(target, name);
  }
  return links;
}

/** The volume of this node that a folder says it is; `null`: it says nothing, or is another's. */
async function nameIn(directory: string, node: string): Promise<string | null> {
  try {
    const marker = JSON.parse(await readFile(join(directory, "volume"), "utf8")) as Partial<Record<string, unknown>>;
    const { volume } = marker;
    return marker["node"] === node && typeof volume === "string" && /^vol\d{1,4}$/.test(volume) ? volume : null;
  } catch {
    return null;
  }
}

function badVolume(folder: string, why: string, cause?: unknown): DiscoError {
  return new DiscoError(`${folder} cannot be used for blobs: ${why}`, {
    code: "bad-volume",
    cause,
    hint: "Mount it and make it writable, or leave it out of DISCO_VOLUMES.",
  });
}

function freeName(taken: ReadonlySet<string>): string {
  for (let n = 1; n < volumesMax; n++) if (!taken.has(`vol${n}`)) return `vol${n}`;
  throw new DiscoError(`a node has ${volumesMax} volumes at most`, { code: "bad-volume" });
}

/** Makes a volume of a folder that is none yet. One with another's marker keeps it, and is left out as long as it does. */
async function adopt(directory: string, marker: string): Promise<void> {
  await mkdir(directory, { recursive: false, mode: privateDirectoryMode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const there = await readFile(join(directory, "volume"), "utf8").catch(() => null);
  if (there === null) await writeMarker(directory, marker);
}

async function writeMarker(directory: string, marker: string): Promise<void> {
  const temporary = join(directory, `volume.${randomUUID()}`);
  const handle = await open(temporary, "wx", privateFileMode);
  try {
    await handle.writeFile(marker);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(directory, "volume"));
}

async function relink(link: string, target: string): Promise<void> {
  await rm(link, { force: true });
  await symlink(target, link);
}
