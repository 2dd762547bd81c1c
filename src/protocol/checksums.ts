/**
 * Checksums of files that have none inside of them, made by the task that wrote them.
 *
 * Results in a user's format have a list beside them, `.disco/ATTEMPT.sums` in the job's home, in the format of sha256sum(1):
 * paths are relative to the job's home, where `sha256sum -c .disco/reduce-0-0.sums` checks them. ATTEMPT is
 * `STAGE-TASK-ATTEMPT`.
 *
 * An index of results has its checksum in its name, and so in its address: `.disco/ATTEMPT.CRC.results`.
 */
import { crc32 } from "node:zlib";

const line = /^([0-9a-f]{64}) {2}(.+)$/;

export interface Checksum {
  /** Relative to the job's home, with `/`. */
  readonly file: string;
  /** SHA-256, in hex. */
  readonly digest: string;
}

/** Where the list of an attempt lies, relative to the job's home. */
export function checksumsFile(attempt: string): string {
  return `.disco/${attempt}.sums`;
}

/** Where the checksum of a file would be listed; both paths are relative to the job's home. `null`: of this one, nowhere. */
export function checksumsFileOf(file: string): string | null {
  const match = /^([a-zA-Z0-9_-]+)\.\d+\.out$/.exec(file);
  return match === null ? null : checksumsFile(match[1] as string);
}

export function formatChecksums(checksums: readonly Checksum[]): string {
  return checksums.map(({ file, digest }) => `${digest}  ${file}\n`).join("");
}

/** SHA-256 of `file` in a list, in base64; `null` when it is not listed. */
export function checksumIn(list: string, file: string): string | null {
  for (const text of list.split("\n")) {
    const match = line.exec(text);
    if (match?.[2] === file) return Buffer.from(match[1] as string, "hex").toString("base64");
  }
  return null;
}

/** The file of an attempt's index of results, relative to the job's home. */
export function indexFile(attempt: string, text: string): string {
  return `.disco/${attempt}.${crcOf(text)}.results`;
}

/** `false`: the text is not the one for which `indexFile` made this name. Of any other name: `true`. */
export function isIndexText(path: string, text: string): boolean {
  const crc = /\.([0-9a-f]{8})\.results$/.exec(path)?.[1];
  return crc === undefined || crc === crcOf(text);
}

function crcOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
