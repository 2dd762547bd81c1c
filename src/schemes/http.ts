import { IoStream } from "./io/io-stream.ts";
import type { ByteSource, Scheme } from "./scheme.ts";

export const httpScheme: Scheme = { open: (url) => openHttp(url, url) };

/**
 * Downloads `address` in the background, under the name `url`. The request is sent when reading begins; a 404, a cut connection
 * that cannot be resumed or a wrong length are `DataError`s thrown while reading.
 */
export function openHttp(url: string, address: string): ByteSource {
  return {
    url,
    size: 0,
    *[Symbol.iterator]() {
      const stream = new IoStream(url, { kind: "download", name: url, url: address });
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
      const stream = new IoStream(url, { kind: "download", name: url, url: address });
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
