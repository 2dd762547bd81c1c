/**
 * `s3://BUCKET/KEY`: objects of S3, downloaded by the I/O thread. Servers and credentials are those of the environment of the process
 * (`src/s3/account.ts`). `#bytes=FROM-TO` behind the key is a part of a big object of lines, as of local files.
 */
import { parseS3Url } from "../s3/address.ts";
import { ioSource } from "./io/io-source.ts";
import type { Scheme } from "./scheme.ts";

export const s3Scheme: Scheme = {
  open(url) {
    const { part } = parseS3Url(url);
    return ioSource(url, part === null ? 0 : part.to - part.from, { kind: "s3", name: url });
  },
};
