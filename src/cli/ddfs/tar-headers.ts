/**
 * What is in a tar archive, and where: POSIX (ustar, pax) and GNU, as all common programs write them.
 *
 * ```
 *   header (512 bytes) │ contents, filled up to 512 │ header │ contents │ … │ two blocks of zeros
 * ```
 *
 * A header has room for 100 bytes of name (155 more in ustar) and 8 GB. What does not fit stands in the contents of a special entry before
 * it: `x`, lines `LENGTH KEY=VALUE` (pax); `L`, the name (GNU). Large sizes may also be binary.
 */
import { DiscoError } from "../../errors.ts";

export interface TarMember {
  /** With `/`, as in the archive. */
  readonly path: string;
  /** Where its contents begin, and how many there are, in bytes. */
  readonly offset: number;
  readonly size: number;
}

export const blockBytes = 512;
/** Of entries that only describe the next one. */
const descriptionBytesMax = 1024 * 1024;

/** `length` bytes from an offset on; fewer at the end. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** Regular files, in their order. @throws DiscoError `bad-archive` */
export async function listMembers(read: ReadAt, size: number, archive: string): Promise<TarMember[]> {
  const members: TarMember[] = [];
  let next: { path?: string; size?: number } = {};
  for (let at = 0; ; ) {
    const header = await read(at, blockBytes);
    // Some programs leave out the end.
    if (header.length === 0 && at > 0) return members;
    if (header.length < blockBytes) throw bad(archive, "it ends within a header");
    if (header.every((byte) => byte === 0)) return members;
    assertSum(header, archive);
    const kind = String.fromCharCode(header[156] ?? 0);
    const bytes = next.size ?? numberAt(header, 124, 12, archive);
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw bad(archive, "a size is no number");
    const offset = at + blockBytes;
    if (offset + bytes > size) throw bad(archive, "it is cut off");
    at = offset + Math.ceil(bytes / blockBytes) * blockBytes;
    if (kind === "x" || kind === "L") {
      if (bytes > descriptionBytesMax) throw bad(archive, `a name of ${bytes} bytes`);
      const text = await read(offset, bytes);
      next = { ...next, ...(kind === "x" ? describedBy(text) : { path: stringAt(text, 0, text.length) }) };
      continue;
    }
    if (kind === "S") throw bad(archive, `${nameIn(header)} is a sparse file`, "Make the archive without --sparse.");
    const path = next.path ?? nameIn(header);
    if ((kind === "0" || kind === "\0" || kind === "7") && !path.endsWith("/"))
      members.push({ path, offset, size: bytes });
    // What describes all entries (`g`), links and folders have nothing to store.
    if (kind !== "g") next = {};
  }
}

/** Lines of pax: `25 path=some/long/name\n`, the length in bytes, its own digits included. */
function describedBy(text: Buffer): { path?: string; size?: number } {
  const described: { path?: string; size?: number } = {};
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(text.subarray(at, at + 20).toString("latin1"), 10);
    if (!(length > 0)) break;
    const line = text.subarray(at, at + length - 1).toString("utf8");
    const [, key, value = ""] = /^\d+ ([^=]+)=(.*)$/s.exec(line) ?? [];
    if (key === "path") described.path = value;
    if (key === "size") described.size = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    at += length;
  }
  return described;
}

function nameIn(header: Buffer): string {
  const name = stringAt(header, 0, 100);
  const prefix = header.subarray(257, 263).toString("latin1") === "ustar\0" ? stringAt(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function stringAt(bytes: Buffer, from: number, length: number): string {
  const part = bytes.subarray(from, from + length);
  const end = part.indexOf(0);
  return part.subarray(0, end < 0 ? part.length : end).toString("utf8");
}

/** Octal digits, or, where the first bit is set, a binary number. */
function numberAt(header: Buffer, from: number, length: number, archive: string): number {
  if (((header[from] ?? 0) & 0x80) !== 0) {
    const value = header.subarray(from + 1, from + length).reduce((sum, byte) => sum * 256 + byte, 0);
    if (Number.isSafeInteger(value)) return value;
  }
  const value = Number.parseInt(stringAt(header, from, length).trim() || "0", 8);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw bad(archive, "a size is no number");
}

/** The sum is that of the header with blanks in its place. */
function assertSum(header: Buffer, archive: string): void {
  const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== numberAt(header, 148, 8, archive)) throw bad(archive, "a header's sum is wrong");
}

function bad(archive: string, what: string, hint = "Leave out --tarballs to push the file as it is."): DiscoError {
  return new DiscoError(`${archive} is no tar archive that can be read: ${what}`, { code: "bad-archive", hint });
}
