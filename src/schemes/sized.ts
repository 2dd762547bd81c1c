/** A source whose size is known before it is read: what is shorter or longer was damaged, whatever it looks like. */
import { DataError } from "../errors.ts";
import type { ByteSource } from "./scheme.ts";

/** The same source; reading it throws `DataError` `bad-length` when it has not exactly `size` bytes. */
export function sized(source: ByteSource, size: number): ByteSource {
  return {
    url: source.url,
    size,
    *[Symbol.iterator]() {
      let read = 0;
      for (const chunk of source) {
        read += chunk.length;
        if (read > size) throw wrongSize(source, read, size);
        yield chunk;
      }
      if (read < size) throw wrongSize(source, read, size);
    },
    async *[Symbol.asyncIterator]() {
      let read = 0;
      for await (const chunk of source) {
        read += chunk.length;
        if (read > size) throw wrongSize(source, read, size);
        yield chunk;
      }
      if (read < size) throw wrongSize(source, read, size);
    },
  };
}

function wrongSize({ url }: ByteSource, read: number, size: number): DataError {
  const found =
    read < size ? `ends after ${read} of ${size} bytes` : `is longer than the ${size} bytes that it should have`;
  return new DataError(`${url} ${found}: it was cut off or changed`, { code: "bad-length", url });
}
