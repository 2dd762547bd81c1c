/**
 * The memory of a merge over texts: a place for a block of each run, and one for the records that come out, in one buffer. Within
 * a buffer `copyWithin` moves a record of 100 bytes in half the time that two buffers take.
 */

/** A larger block gets no place: it is decoded as it is read. */
const placeBytesMax = 320 * 1024;

export class MergeArena {
  readonly bytes: Buffer;
  /** Of each source; `null`: none. */
  readonly places: readonly (Buffer | null)[];
  /** Where records come out. */
  readonly outAt: number;
  /** Bytes of text after which a batch ends: there is room for one record more. */
  readonly outBytes: number;

  /** `sourceBytes`: of each source, all of it. `outBytes`: wanted. */
  constructor(sourceBytes: readonly number[], outBytes: number) {
    const sizes = sourceBytes.map((bytes) => Math.min(bytes, placeBytesMax));
    this.outAt = sizes.reduce((sum, size) => sum + size, 0);
    const all = sourceBytes.reduce((sum, bytes) => sum + bytes, 0);
    this.outBytes = outBytes;
    this.bytes = Buffer.allocUnsafeSlow(this.outAt + Math.min(all, outBytes + placeBytesMax));
    let at = 0;
    this.places = sizes.map((size) => this.bytes.subarray(at, (at += size)));
  }

  /** Gives the memory back at once. */
  release(): void {
    (this.bytes.buffer as ArrayBuffer).transfer(0);
  }
}
