/** Messages in parts: `ID INDEX COUNT`, in order. */
import { randomUUID } from "node:crypto";

/** Of one message on this bus; what is larger has its own way. */
export const messageBytesMax = 64 * 2 ** 20;
/** Of all messages that are not complete, so that senders that die cannot fill a master. */
const assemblyBytesMax = 4 * messageBytesMax;
const assemblyMs = 60_000;

export interface Part {
  /** Value of the header; `""`: the message is whole. */
  readonly part: string;
  readonly data: Uint8Array;
}

export function partsOf(bytes: Uint8Array, bytesMax: number): readonly Part[] {
  if (bytes.byteLength <= bytesMax) return [{ part: "", data: bytes }];
  const id = randomUUID();
  const count = Math.ceil(bytes.byteLength / bytesMax);
  return Array.from({ length: count }, (_, index) => ({
    part: `${id} ${index} ${count}`,
    data: bytes.subarray(index * bytesMax, (index + 1) * bytesMax),
  }));
}

interface Incomplete {
  readonly parts: Uint8Array[];
  readonly count: number;
  bytes: number;
  readonly timer: NodeJS.Timeout;
}

/** Messages of which parts have come. */
export class Assembly {
  readonly #incomplete = new Map<string, Incomplete>();
  #bytes = 0;

  /** The whole message with its last part, else `null`. One of which a part is missing is dropped. */
  add(part: string, data: Uint8Array): Uint8Array | null {
    const [id = "", index, count] = part.split(" ");
    const present = this.#incomplete.get(id) ?? this.#begin(id, Number(count));
    if (Number(index) !== present.parts.length || this.#bytes + data.byteLength > assemblyBytesMax) {
      this.#drop(id);
      return null;
    }
    present.parts.push(data);
    present.bytes += data.byteLength;
    this.#bytes += data.byteLength;
    if (present.bytes > messageBytesMax) this.#drop(id);
    if (present.parts.length < present.count) return null;
    this.#drop(id);
    return Buffer.concat(present.parts);
  }

  #begin(id: string, count: number): Incomplete {
    const timer = setTimeout(() => this.#drop(id), assemblyMs);
    timer.unref();
    const begun: Incomplete = { parts: [], count, bytes: 0, timer };
    this.#incomplete.set(id, begun);
    return begun;
  }

  #drop(id: string): void {
    const present = this.#incomplete.get(id);
    if (present === undefined) return;
    clearTimeout(present.timer);
    this.#bytes -= present.bytes;
    this.#incomplete.delete(id);
  }
}
