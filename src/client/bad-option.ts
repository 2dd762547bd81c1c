/** The errors of bad options: each names the option, what it got and what is allowed. */
import { JobError } from "../errors.ts";
import { nearestName } from "./nearest-name.ts";
import { type Check, shown } from "./option-checks.ts";

/** Throws `JobError` `unknown-option` for the first name that is not `known`, with the one that was probably meant. */
export function checkNames(
  options: object,
  known: Readonly<Record<string, Check>>,
  prefix: string,
  other: (name: string) => string | undefined,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const snake = name.replace(/_+([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const meant = other(name) ?? (Object.hasOwn(known, snake) ? snake : nearestName(snake, Object.keys(known)));
    const question = meant === undefined ? "" : `; did you mean ${prefix}${meant}?`;
    throw new JobError(`unknown option ${prefix}${name}${question}`, {
      code: "unknown-option",
      hint: meant === undefined ? `Known are ${Object.keys(known).join(", ")}.` : `Write ${prefix}${meant}.`,
    });
  }
}

/** Throws `JobError` `bad-option` for the first value that its check does not like; `undefined` counts as not given. */
export function checkValues(options: object, known: Readonly<Record<string, Check>>, prefix: string): void {
  for (const [name, value] of Object.entries(options)) {
    const expected = value === undefined ? null : (known[name]?.(value) ?? null);
    if (expected !== null)
      throw badOption(`${prefix}${name}: ${expected} was expected, not ${shown(value)}`, programHint(name, value));
  }
}

/** A path where a function belongs. */
function programHint(name: string, value: unknown): string | undefined {
  if (typeof value !== "string" || (name !== "map" && name !== "reduce")) return undefined;
  return `A program in another language is given as external([${JSON.stringify(value)}]).`;
}

export function badOption(message: string, hint?: string): JobError {
  return new JobError(message, { code: "bad-option", ...(hint === undefined ? {} : { hint }) });
}
