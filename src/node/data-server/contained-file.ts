/**
 * Opens files below a directory that others write to: jobs' tasks may leave links in their homes, and exchange directories for
 * links while we look. What was opened counts, not what the path led to a moment ago: the open file itself is asked for its
 * place, and nothing of it is read before the answer is right.
 */
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

export type OpenedFile =
  | {
      readonly kind: "file";
      readonly handle: FileHandle;
      readonly etag: string;
      readonly size: number;
      readonly modified: Date;
    }
  | { readonly kind: "directory" }
  /** Not there, or nothing that is given out: a link, a pipe, a device. */
  | { readonly kind: "none" }
  /** The process has no file handle left. */
  | { readonly kind: "busy" };

const none: OpenedFile = { kind: "none" };
/** A pipe without a writer would keep us waiting. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `segments` are plain names. The handle of a file is the caller's to close. */
export async function openContained(directory: string, segments: readonly string[]): Promise<OpenedFile> {
  let handle: FileHandle | undefined;
  try {
    const place = join(await realpath(directory), ...segments);
    // A link that leads to a device is not even opened.
    if ((await realpath(place)) !== place) return none;
    handle = await open(place, openFlags);
    const found = await handle.stat({ bigint: true });
    if ((await placeOf(handle, found, place)) !== place) return none;
    if (found.isDirectory()) return { kind: "directory" };
    if (!found.isFile()) return none;
    const etag = `"${found.size.toString(16)}-${found.mtimeNs.toString(16)}-${found.ino.toString(16)}"`;
    const opened = { kind: "file" as const, handle, etag, size: Number(found.size), modified: found.mtime };
    handle = undefined;
    return opened;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EMFILE" || code === "ENFILE" ? { kind: "busy" } : none;
  } finally {
    await handle?.close();
  }
}

/** Where the open file lies now. */
async function placeOf(
  handle: FileHandle,
  found: { readonly dev: bigint; readonly ino: bigint },
  place: string,
): Promise<string | null> {
  if (process.platform === "linux" && sep === "/") {
    const known = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => null);
    if (known !== null) return known;
  }
  const there = await lstat(place, { bigint: true });
  return there.dev === found.dev && there.ino === found.ino ? await realpath(place) : null;
}
