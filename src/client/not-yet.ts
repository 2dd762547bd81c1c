import { DiscoError } from "../errors.ts";

/** The error of what has its place in the interface and no implementation in this release. */
export function notYet(what: string, comesWith: string, hint?: string): DiscoError {
  return new DiscoError(`${what}: not in this release; it comes with ${comesWith}`, {
    code: "not-yet",
    ...(hint === undefined ? {} : { hint }),
  });
}
