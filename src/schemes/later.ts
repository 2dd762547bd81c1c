import { DiscoError } from "../errors.ts";
import type { Scheme } from "./scheme.ts";

/** Schemes that have a place and no implementation yet. */
export const laterScheme: Scheme = {
  open(url) {
    const what = url.startsWith("tag:") ? "tag:// addresses come with DDFS" : "s3:// addresses come with S3 storage";
    throw new DiscoError(`${url}: ${what}, in a later release`, { code: "not-yet", url });
  },
};
