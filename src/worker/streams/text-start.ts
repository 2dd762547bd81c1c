/** What is text, for all that reads lines: told by how it starts, and by the length of its lines. */
import { DataError } from "../../errors.ts";

/** A longer line is more likely a file that has no lines; strings of V8 end at 512 MiB. */
export const lineBytesMax = 64 * 1024 * 1024;
/** Where a NUL byte means "not text", as in grep and git. */
const sniffBytes = 8 * 1024;

/** A part of a file that does not begin at its start (`schemes/file.ts`): what it begins with tells nothing of the whole. */
export function isLaterPart(url: string): boolean {
  return /#bytes=0*[1-9]\d*-\d+$/.test(url);
}

/** The first bytes of a text, without a byte order mark. @throws DataError `not-text` for what is plainly something else. */
export function checkTextStart(url: string, bytes: Uint8Array): Uint8Array {
  const [a, b, c, d] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return bytes.subarray(3);
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) throw notText(url, "it is UTF-16");
  if (a === 0x1f && b === 0x8b) {
    throw notText(
      url,
      "it is compressed by gzip",
      "Put gzipReader before it: mapInputStream: [gzipReader, mapLineReader].",
    );
  }
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) {
    throw notText(
      url,
      "it is compressed by zstd",
      "Put zstdReader before it: mapInputStream: [zstdReader, mapLineReader].",
    );
  }
  const nul = bytes.subarray(0, sniffBytes).indexOf(0);
  if (nul !== -1) throw notText(url, `byte ${nul} is NUL`);
  return bytes;
}

export function lineTooLong(url: string): DataError {
  return new DataError(`${url}: a line is longer than ${lineBytesMax} bytes`, {
    code: "record-too-long",
    url,
    hint: "Read data without lines by another reader: bytesReader, reReader(regexp), netstrReader …",
  });
}

function notText(url: string, why: string, hint?: string): DataError {
  return new DataError(`${url} is not text: ${why}`, {
    code: "not-text",
    url,
    hint:
      hint ?? 'Choose a mapReader that fits the data, or lineReader({ encoding: "latin1" }) for lines of any bytes.',
  });
}
