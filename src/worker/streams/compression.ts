/** What bytes are compressed by, told by how they begin: blobs have names without a dot, and so without an extension. */

export type Compression = "gzip" | "zstd";

/** So many bytes tell. */
export const compressionHeadBytes = 4;

/** `null`: they are not, or not by anything that is read here. */
export function compressionOf(head: Uint8Array): Compression | null {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b && c === 8) return "gzip";
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return "zstd";
  // A zstd file may begin with a frame that is to be skipped: 0x184D2A50 to 0x184D2A5F.
  return a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18 ? "zstd" : null;
}
