/** Recognised by shipping in any copy of the package: an instance is plain data, not an object of a user's class. */
const mark: unique symbol = Symbol.for("disco-mapreduce.params") as never;

interface ParamsConstructor {
  /** Takes over the properties of `values`. */
  new <T extends object = Record<never, never>>(values?: T): T;
  readonly prototype: object;
}

class ParamsBag {
  constructor(values: object = {}) {
    Object.assign(this, values);
  }
}
Object.defineProperty(ParamsBag.prototype, mark, { value: true });

/**
 * Parameters of a job (the seed: `disco.core.Params`): `new Params({ c: 0, f: (x: string) => `${x}!` })`. Each task gets a copy
 * of its own; functions are allowed as values. A plain object does as well.
 */
export const Params = ParamsBag as ParamsConstructor;
Object.defineProperty(ParamsBag, "name", { value: "Params" });
