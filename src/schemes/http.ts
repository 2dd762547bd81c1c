import { IoStream } from "./io/io-stream.ts";
import type { NodeFile, StreamTask } from "./io/messages.ts";
import type { ByteSource, Scheme, SchemeContext } from "./scheme.ts";

export const httpScheme: Scheme = { open: (url, context) => openHttp(url, url, context) };

/**
 * Downloads `address` in the background, under the name `url`. The request is sent when reading begins; a 404, a cut connection
 * that cannot be resumed or a wrong length are `DataError`s thrown while reading. `file`: it comes from a node's data server, and
 * is checked as such.
 */
export function openHttp(url: string, address: string, context: SchemeContext, file?: NodeFile): ByteSource {
  const token = URL.canParse(address) ? context.token?.(new URL(address).origin) : undefined;
  const task: StreamTask = {
    kind: "download",
    name: url,
    url: address,
    token: token ?? null,
    file: file ?? null,
    isHasty: context.isHasty === true,
  };
  return {
    url,
    size: file?.size ?? 0,
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
