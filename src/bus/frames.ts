/**
 * Messages of the bus on a stream of bytes. A frame:
 *
 *   length of the rest (4 bytes) · kind (1) · id (4) · patience in ms (4) · length of the subject (2) · subject · bytes
 *
 * Numbers are big-endian. A reply and an error have the id of their request and no subject.
 */
import { CommError } from "../errors.ts";

/** As servers of NATS have it: what fits one engine fits the others. Bulk data has its own way. */
export const frameMessageBytesMax = 1024 * 1024;
const subjectBytesMax = 1_024;
const headBytes = 11;
const lengthBytes = 4;
const patienceMsMax = 2 ** 31 - 1;

export const frameKinds = ["ping", "request", "reply", "error", "publish", "serve", "unserve"] as const;
export type FrameKind = (typeof frameKinds)[number];

export interface Frame {
  readonly kind: FrameKind;
  /** Of a request, its reply or its error: chosen by who asks. */
  readonly id: number;
  readonly patienceMs: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** @throws CommError `bus-message-too-big` */
export function encodeFrame(frame: Partial<Frame> & Pick<Frame, "kind">): Uint8Array {
  const { kind, id = 0, patienceMs = 0, subject = "", bytes = none } = frame;
  const name = Buffer.from(subject, "utf8");
  if (bytes.byteLength > frameMessageBytesMax || name.byteLength > subjectBytesMax) {
    throw new CommError(
      `a message of ${bytes.byteLength} bytes to ${subject} is over the limit of ${frameMessageBytesMax}`,
      { code: "bus-message-too-big", retry: "never" },
    );
  }
  const buffer = Buffer.allocUnsafe(lengthBytes + headBytes + name.byteLength + bytes.byteLength);
  buffer.writeUInt32BE(buffer.byteLength - lengthBytes, 0);
  buffer.writeUInt8(frameKinds.indexOf(kind), 4);
  buffer.writeUInt32BE(id, 5);
  buffer.writeUInt32BE(Math.min(Math.max(Math.ceil(patienceMs), 0), patienceMsMax), 9);
  buffer.writeUInt16BE(name.byteLength, 13);
  buffer.set(name, lengthBytes + headBytes);
  buffer.set(bytes, lengthBytes + headBytes + name.byteLength);
  return buffer;
}

/** Finds the frames in what comes, in pieces of any size. */
export class FrameReader {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Of the frame that is awaited, with its length; 0: the length is not known yet. */
  #wanted = 0;

  /** @throws CommError `bad-frame`: nothing after it can be understood */
  push(piece: Uint8Array): Frame[] {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    const frames: Frame[] = [];
    while (this.#bytes >= Math.max(lengthBytes, this.#wanted)) {
      const buffer = this.#joined();
      this.#wanted = lengthBytes + buffer.readUInt32BE(0);
      if (this.#wanted > lengthBytes + headBytes + subjectBytesMax + frameMessageBytesMax) throw bad("it is too long");
      if (buffer.byteLength < this.#wanted) break;
      frames.push(decode(buffer.subarray(lengthBytes, this.#wanted)));
      this.#pieces = [buffer.subarray(this.#wanted)];
      this.#bytes -= this.#wanted;
      this.#wanted = 0;
    }
    return frames;
  }

  /** Nothing of a frame has come. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  #joined(): Buffer {
    const [first = none] = this.#pieces;
    const buffer =
      this.#pieces.length === 1
        ? Buffer.from(first.buffer, first.byteOffset, first.byteLength)
        : Buffer.concat(this.#pieces);
    this.#pieces = [buffer];
    return buffer;
  }
}

function decode(buffer: Buffer): Frame {
  if (buffer.byteLength < headBytes) throw bad("it is too short");
  const kind = frameKinds[buffer.readUInt8(0)];
  if (kind === undefined) throw bad("its kind is not known");
  const end = headBytes + buffer.readUInt16BE(9);
  if (end > buffer.byteLength || end - headBytes > subjectBytesMax) throw bad("its subject is too long");
  return {
    kind,
    id: buffer.readUInt32BE(1),
    patienceMs: buffer.readUInt32BE(5),
    subject: buffer.toString("utf8", headBytes, end),
    bytes: buffer.subarray(end),
  };
}

function bad(why: string): CommError {
  return new CommError(`a frame on the bus cannot be understood: ${why}`, {
    code: "bad-frame",
    hint: "Do masters and nodes run the same version of disco-mapreduce?",
  });
}
