/** The command line's options over those that the module gives. */
import type { RunOptions } from "./options.ts";

export function applyOptions(
  dict: Record<string, unknown>,
  inputs: readonly string[],
  { params, partitions, keep }: RunOptions,
): Record<string, unknown> {
  return {
    ...dict,
    ...(inputs.length > 0 ? { input: [...inputs] } : {}),
    ...(Object.keys(params).length > 0 ? { params: withParams(dict["params"], params) } : {}),
    ...(partitions === undefined ? {} : { partitions }),
    ...(keep === true ? { keep } : {}),
  };
}

/** The same kind of object (it may be a `Params`), with some properties set. */
function withParams(base: unknown, params: Record<string, unknown>): object {
  if (typeof base !== "object" || base === null) return params;
  return Object.assign(Object.create(Object.getPrototypeOf(base) as object | null) as object, base, params);
}
