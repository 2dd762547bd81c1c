/** Functions of this package (`chainReader`, `reReader(/x/)`) do not travel: a worker finds them by name in its own copy. */
import type { JobFunction } from "./job-function.ts";

/** A function that carries this property is Disco's own. */
const ownFunction = Symbol.for("disco-mapreduce.own");

export interface OwnMark {
  readonly name: string;
  /** For a function made by a factory: what the factory was called with. Plain data. */
  readonly args?: readonly unknown[];
}

export function ownMark(fn: JobFunction): OwnMark | undefined {
  return Object.hasOwn(fn, ownFunction) ? (Reflect.get(fn, ownFunction) as OwnMark) : undefined;
}
