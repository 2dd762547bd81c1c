/**
 * What `external([…])` is in a worker. An external program has no function that could be called: a stage whose plan names a program is
 * run by `run-external.ts`, and everywhere else (in `params`, say) calling it is a mistake.
 */
import { DiscoError } from "../../errors.ts";
import { own } from "../own.ts";

/** The name under which it travels. */
export const externalName = "external";

export const externalStandIn = own(externalName, (): never => {
  throw notCallable();
});

export function notCallable(): DiscoError {
  return new DiscoError("an external program is no function that can be called", {
    code: "bad-option",
    hint: "Give external([…]) as map or as reduce, and to nothing else.",
  });
}
