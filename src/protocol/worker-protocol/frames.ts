/**
 * Frames of Disco's worker protocol, both ways: `NAME SP LENGTH SP JSON LF`. A name has 1 to 10 bytes, the length is that of the JSON in
 * bytes, in decimal.
 *
 * The reader takes what comes from a process that may be anything: it holds the bytes of one frame at most, decides on the first byte
 * that cannot be right, and never reads a body that is announced too large.
 */

/** Bytes of a body at most (Disco: 100 MB). */
export const bodyBytesMax = 100 * 1024 * 1024;
/** Bytes of a name, and of a length, at most. */
const headBytesMax = 10;
const space = 0x20;
const lineFeed = 0x0a;

export interface Frame {
  readonly name: string;
  /** JSON, not parsed. */
  readonly body: Buffer;
}

/** Why bytes are no frame. */
export type FrameFault = "invalid-name" | "invalid-length" | "body-too-large" | "invalid-end";

export class FrameError extends Error {
  readonly fault: FrameFault;
  /** What came, from the beginning of the frame that is none; the first 64 KiB. */
  readonly received: Buffer;

  constructor(fault: FrameFault, received: Buffer) {
    super(faultTexts[fault]);
    this.name = "FrameError";
    this.fault = fault;
    this.received = received.subarray(0, 64 * 1024);
  }
}

const faultTexts: Readonly<Record<FrameFault, string>> = {
  "invalid-name": `a message begins with a name of 1 to ${headBytesMax} capital letters and a space`,
  "invalid-length": `after the name comes the length of the JSON in bytes, in at most ${headBytesMax} digits, and a space`,
  "body-too-large": `a message has at most ${bodyBytesMax} bytes`,
  "invalid-end": "after the JSON, at the announced length, comes a line feed",
};

/** One frame. `value`: anything that is JSON. */
export function encodeFrame(name: string, value: unknown): Buffer {
  const json = JSON.stringify(value);
  return Buffer.from(`${name} ${Buffer.byteLength(json)} ${json}\n`);
}

export class FrameReader {
  readonly #bodyBytesMax: number;
  /** Bytes that have not become a frame, in pieces: a body of many megabytes is put together once. */
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Of the frame whose head has been read: its name, where its body begins, and the length of that. */
  #head: { readonly name: string; readonly at: number; readonly length: number } | null = null;

  constructor(options: { readonly bodyBytesMax?: number } = {}) {
    this.#bodyBytesMax = options.bodyBytesMax ?? bodyBytesMax;
  }

  /** A frame has begun and is not whole. */
  get isInside(): boolean {
    return this.#bytes > 0;
  }

  /** What has come of a frame that is not whole. */
  get rest(): Buffer {
    return this.#joined();
  }

  /**
   * The frames that are whole with these bytes. They are parts of `bytes` where they can be.
   * @throws FrameError; nothing that comes later can be understood then
   */
  *push(bytes: Uint8Array): Generator<Frame> {
    this.#pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#bytes += bytes.byteLength;
    for (;;) {
      this.#head ??= this.#readHead();
      if (this.#head === null) return;
      const { name, at, length } = this.#head;
      const end = at + length;
      if (this.#bytes < end + 1) return;
      const all = this.#joined();
      if (all[end] !== lineFeed) throw new FrameError("invalid-end", all);
      this.#head = null;
      this.#pieces = all.length === end + 1 ? [] : [all.subarray(end + 1)];
      this.#bytes = all.length - end - 1;
      yield { name, body: all.subarray(at, end) };
    }
  }

  #readHead(): { name: string; at: number; length: number } | null {
    if (this.#bytes === 0) return null;
    const all = this.#joined();
    const nameEnd = headEnd(all, 0, isCapital);
    if (nameEnd === "wrong") throw new FrameError("invalid-name", all);
    if (nameEnd === "open") return null;
    const lengthEnd = headEnd(all, nameEnd + 1, isDigit);
    if (lengthEnd === "wrong") throw new FrameError("invalid-length", all);
    if (lengthEnd === "open") return null;
    const length = Number(all.toString("latin1", nameEnd + 1, lengthEnd));
    if (length > this.#bodyBytesMax) throw new FrameError("body-too-large", all);
    return { name: all.toString("latin1", 0, nameEnd), at: lengthEnd + 1, length };
  }

  #joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces, this.#bytes)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }
}

/** Where the space after 1 to 10 fitting bytes from `from` on is. */
function headEnd(bytes: Buffer, from: number, fits: (byte: number) => boolean): number | "open" | "wrong" {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === space) return at > from ? at : "wrong";
    if (!fits(byte) || at - from >= headBytesMax) return "wrong";
  }
  return "open";
}

function isCapital(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
