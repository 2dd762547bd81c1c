import { DiscoError } from "../errors.ts";
import type { Scheme } from "./scheme.ts";

/** Schemes that have a place and no implementation yet. */
export const laterScheme: Scheme = {
  open(url) {
    throw new DiscoError(`${url}: tag:// addresses come with DDFS, in a later release`, { code: "not-yet", url });
  },
};
