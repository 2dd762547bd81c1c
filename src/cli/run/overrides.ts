/** The command line's options over those that the module gives. */

import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import type { JobModuleOptions } from "./options.ts";

export function applyOptions(
  dict: Record<string, unknown>,
  inputs: readonly string[],
  { params, partitions, keep, profile }: JobModuleOptions,
): Record<string, unknown> {
  return {
    ...dict,
    ...(inputs.length > 0 ? { input: [...inputs] } : {}),
    ...(Object.keys(params).length > 0 ? { params: withParams(dict["params"], params) } : {}),
    ...(partitions === undefined ? {} : { partitions }),
    ...(keep === true ? { keep } : {}),
    ...(profile === true ? { profile } : {}),
  };
}

/**
 * The same kind of object (it may be a `Params`), with some properties set. A name that is nearly one that the job has is a
 * slip: it would be ignored without a word.
 */
function withParams(base: unknown, params: Record<string, unknown>): object {
  if (typeof base !== "object" || base === null) return params;
  for (const name of Object.keys(params)) {
    if (name in base) continue;
    const meant = nearestName(name, Object.keys(base));
    if (meant === undefined) continue;
    throw new DiscoError(`the job has no parameter ${name}`, { code: "bad-option", hint: `Did you mean ${meant}?` });
  }
  return Object.assign(Object.create(Object.getPrototypeOf(base) as object | null) as object, base, params);
}
