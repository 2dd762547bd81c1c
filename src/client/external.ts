import { notYet } from "./not-yet.ts";

/**
 * An external program as `map` or `reduce`: `external([executable, ...files])`.
 * @throws DiscoError `not-yet`: external programs come with a later release.
 */
export function external(files: readonly string[]): never {
  throw notYet(
    `external([${files.map((file) => JSON.stringify(file)).join(", ")}])`,
    "the release that speaks Disco's external interface",
    "Until then start the program from a map function, with node:child_process.",
  );
}
