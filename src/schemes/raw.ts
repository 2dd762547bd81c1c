import type { Scheme } from "./scheme.ts";

const prefix = "raw://";

/** The text after `raw://` is the data itself, as it stands: nothing is decoded. */
export const rawScheme: Scheme = {
  open(url) {
    const bytes = Buffer.from(url.slice(prefix.length));
    return {
      url,
      size: bytes.length,
      *[Symbol.iterator]() {
        if (bytes.length > 0) yield bytes;
      },
      async *[Symbol.asyncIterator]() {
        if (bytes.length > 0) yield bytes;
      },
    };
  },
};
