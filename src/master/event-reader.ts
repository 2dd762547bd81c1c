/**
 * Whole lines of a growing file of events, each with the offset behind it.
 *
 * The offset may be of another master, in whose file the same lines are in another order: one that is not at the start of a line goes
 * back to there, and one beyond the end to the end. Rather a line twice than none.
 */
import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import type { JobEvent } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";

const readBytes = 64 * 1024;

export class EventReader {
  readonly #file: string;
  #offset: number;
  #handle: FileHandle | null = null;

  /** @throws DiscoError `bad-offset` */
  constructor(file: string, offset: number) {
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new DiscoError(`${offset} is not an offset of events`, {
        code: "bad-offset",
        hint: "Use an offset that events() gave.",
      });
    }
    this.#file = file;
    this.#offset = offset;
  }

  /** Those that are there by now. */
  async *readAll(): AsyncGenerator<[number, JobEvent]> {
    if (this.#handle === null) {
      try {
        this.#handle = await open(this.#file, "r");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        throw error;
      }
      this.#offset = await lineStart(this.#handle, this.#offset);
    }
    let rest = Buffer.alloc(0);
    const buffer = Buffer.alloc(readBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, readBytes, this.#offset + rest.length);
      if (bytesRead === 0) return;
      let bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
        const line = bytes.toString("utf8", 0, end);
        bytes = bytes.subarray(end + 1);
        this.#offset += end + 1;
        yield [this.#offset, parse(line)];
      }
      rest = bytes;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
  }
}

/** The start of the line that the byte at the offset belongs to; of an offset beyond the end: of what comes next. */
async function lineStart(handle: FileHandle, offset: number): Promise<number> {
  const { size } = await handle.stat();
  for (let end = Math.min(offset, size); end > 0; ) {
    const from = Math.max(0, end - readBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - from), 0, end - from, from);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(10);
    if (at >= 0) return from + at + 1;
    end = from;
  }
  return 0;
}

function parse(text: string): JobEvent {
  const { time, host, task, level, message } = JSON.parse(text) as JobEvent;
  return { time, host, task, level, message };
}
