/**
 * Disco's own job functions (readers, partitioners …) do not travel as source: every copy of this package has them. They
 * carry a recipe, their public name and, where a factory made them, its arguments, from which a worker makes them again.
 */

/** Shared by all copies of the package in a process, so that shipping recognises functions of any of them. */
export const ownMark: unique symbol = Symbol.for("disco-mapreduce.own") as never;

export interface OwnRecipe {
  readonly name: string;
  /** The factory's arguments; absent for a plain function. Encodable as record values. */
  readonly args?: readonly unknown[];
}

/** Marks `fn` as ours and returns it. */
export function own<F extends (...args: never[]) => unknown>(name: string, fn: F, args?: readonly unknown[]): F {
  const recipe: OwnRecipe = args === undefined ? { name } : { name, args };
  Object.defineProperty(fn, ownMark, { value: recipe });
  return fn;
}

/** Shared like `ownMark`. */
const factoryMark: unique symbol = Symbol.for("disco-mapreduce.factory") as never;

interface OwnFactory {
  readonly name: string;
  /** Source of a call: `grep(pattern)`. */
  readonly call: string;
}

/** Marks a factory of ours, so that a job can be refused which has it in place of what it makes; `call` is how it is called. */
export function ownFactory(factory: (...args: never[]) => unknown, call: string): void {
  const mark: OwnFactory = { name: call.slice(0, call.indexOf("(")), call };
  Object.defineProperty(factory, factoryMark, { value: mark });
}

/** What is known of a factory of ours; `undefined` for anything else. */
export function factoryOf(fn: unknown): OwnFactory | undefined {
  if (typeof fn !== "function") return undefined;
  return (fn as unknown as { [factoryMark]?: OwnFactory })[factoryMark];
}

/** The recipe of one of our functions; `undefined` for a user's. */
export function ownRecipe(fn: unknown): OwnRecipe | undefined {
  if (typeof fn !== "function") return undefined;
  return (fn as unknown as { [ownMark]?: OwnRecipe })[ownMark];
}
