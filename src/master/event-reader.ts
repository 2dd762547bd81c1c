/** Whole lines of a growing file of events, each with the offset behind it. */
import { open } from "node:fs/promises";
import type { JobEvent } from "../client/master-api.ts";
import { DiscoError } from "../errors.ts";

const readBytes = 64 * 1024;

export class EventReader {
  readonly #file: string;
  #offset: number;
  #handle: Awaited<ReturnType<typeof open>> | null = null;

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

function parse(text: string): JobEvent {
  try {
    const { time, host, task, level, message } = JSON.parse(text) as JobEvent;
    return { time, host, task, level, message };
  } catch (cause) {
    throw new DiscoError("the offset lies in the middle of an event", {
      code: "bad-offset",
      cause,
      hint: "Use an offset that events() gave.",
    });
  }
}
