/** What lies on this machine is of no use to a master on another one: said before anything is sent. */
import { JobError } from "../errors.ts";
import { schemeOf } from "../schemes/open.ts";
import { isEmbedded, isHere } from "./data-place.ts";
import type { JobPlace } from "./engine.ts";

/** `place` is where in the options `url` stands. Throws `JobError` `local-input`. */
export function assertReachable(url: string, place: string, engine: JobPlace | undefined): void {
  if (engine?.kind !== "elsewhere") return;
  const scheme = schemeOf(url);
  const isResult = (scheme === "dir" || scheme === "disco") && isEmbedded(url) && isHere(url);
  if (scheme !== "file" && !isResult) return;
  const what = isResult ? "a result of the engine in a process of this machine" : "a file of this machine";
  throw new JobError(`${place}: ${url} is ${what}, and the master is another one: ${engine.master}`, {
    code: "local-input",
    hint: "Give an address that the nodes reach: http://…, or results of a job of that master.",
  });
}

/** Modules that are imported before the job's functions would be looked for where they are not. Throws `JobError` `local-module`. */
export function assertPortableModules(specifiers: readonly string[], engine: JobPlace | undefined): void {
  const [local] = engine?.kind === "elsewhere" ? specifiers.filter((specifier) => specifier.startsWith("file:")) : [];
  if (local === undefined) return;
  throw new JobError(`requiredModules: ${local} is on this machine, and the master is another one`, {
    code: "local-module",
    hint: "Import it where the job's functions are defined: what they use travels with them.",
  });
}
