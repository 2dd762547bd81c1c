/** A stream of the I/O thread as a byte source: begun when it is read, blocking or not. */
import type { ByteSource } from "../scheme.ts";
import { IoStream } from "./io-stream.ts";
import type { StreamTask } from "./messages.ts";

export function ioSource(url: string, size: number, task: StreamTask): ByteSource {
  return {
    url,
    size,
    *[Symbol.iterator]() {
      const stream = new IoStream(url, task);
      try {
        for (;;) {
          const message = stream.receive();
          if (message.kind === "end") return;
          if (message.kind === "chunk") yield message.chunk;
        }
      } finally {
        stream.close();
      }
    },
    async *[Symbol.asyncIterator]() {
      const stream = new IoStream(url, task);
      try {
        for (;;) {
          const message = await stream.receiveAsync();
          if (message.kind === "end") return;
          if (message.kind === "chunk") yield message.chunk;
        }
      } finally {
        stream.close();
      }
    },
  };
}
