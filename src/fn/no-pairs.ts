import { DiscoError } from "../errors.ts";

/** The error of a fold that was called with something else than pairs: without anything, where it should not be called at all. */
export function noPairs(name: string, args: readonly unknown[]): DiscoError {
  const [given] = args;
  if (args.length === 0) {
    return new DiscoError(`${name}() was called without pairs`, {
      code: "bad-pair",
      hint: `In a job it stands without parentheses: reduce: ${name}.`,
    });
  }
  return new DiscoError(
    `${name}: pairs were expected, not ${given === null ? "null" : `a value of type ${typeof given}`}`,
    {
      code: "bad-pair",
      hint: `Write ${name}(pairs) in a reduce of your own, or reduce: ${name}.`,
    },
  );
}
