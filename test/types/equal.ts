/** Assertions about types: they hold or fail when the type checker runs, and do nothing at run time. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `is<Expected>()(value)` compiles only if the type of `value` is exactly `Expected`. */
export function is<Expected>(): <Actual>(value: Actual, same: Equal<Actual, Expected>) => void {
  return () => {};
}
