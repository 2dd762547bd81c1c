import type { FnRef, StagePlan } from "../protocol/job-data.ts";
import type { LoadedCode, SetEmitter } from "../shipping/load.ts";
import type { UserFunction } from "./bound-job.ts";
import { ownRecipe } from "./own.ts";
import type { NamedInputStream } from "./streams/input-chain.ts";

/** The functions of one stage, and what messages call them. */
export class StageFunctions {
  readonly #code: LoadedCode;
  readonly #plan: StagePlan;

  constructor(plan: StagePlan, code: LoadedCode) {
    this.#plan = plan;
    this.#code = code;
  }

  get(ref: FnRef): UserFunction {
    return this.#code.fn(ref) as UserFunction;
  }

  optional<F>(ref: FnRef | null): F | null {
    return ref === null ? null : (this.#code.fn(ref) as F);
  }

  emitter(ref: FnRef): SetEmitter | null {
    return this.#code.emitter(ref);
  }

  /** The option's name, with the function's own where it has another. */
  name(ref: FnRef, role: string): string {
    const fn = this.#code.fn(ref);
    const own = ownRecipe(fn)?.name ?? fn.name;
    return own === "" || own === role ? role : `${role} (${own})`;
  }

  named(ref: FnRef, role: string): NamedInputStream {
    return { name: this.name(ref, `${this.#plan.name}'s ${role}`), fn: this.#code.fn(ref) as NamedInputStream["fn"] };
  }
}
