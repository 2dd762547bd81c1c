/**
 * The reduce: one call over all of a task's pairs, in the seed's two signatures.
 *
 * `(iter, out, params)` outputs by `out.add(key, value)`, `(iter, params)` by what it returns or yields. Three declared parameters
 * mean the first; two mean the second, unless the second parameter is named `out` (`output`, `_out`) or the function calls
 * `add` on it. Both may be async.
 */
import { DiscoError } from "../errors.ts";
import type { SetEmitter } from "../shipping/load.ts";
import { describe } from "./describe.ts";
import type { Emit } from "./emit.ts";
import { badResult, emitAsync, emitSync, isAsyncResult, withEmitter } from "./pairs.ts";
import { parameters } from "./signature.ts";

export type ReduceFn = (pairs: unknown, ...rest: unknown[]) => unknown;

export interface ReduceOutput {
  add(key: unknown, value: unknown): void;
}

export interface ReduceRun {
  readonly fn: ReduceFn;
  /** For messages. */
  readonly name: string;
  readonly params: unknown;
  readonly emit: Emit;
  /** For a reduce that calls its emitter instead of returning pairs (`shipping/direct-yields.ts`). Default: none such. */
  readonly setEmitter?: SetEmitter | null;
}

/** Runs the reduce; a promise only where it is async. */
export function reduceAll(pairs: unknown, run: ReduceRun): Promise<void> | undefined {
  const { fn, name, params, emit } = run;
  const out: ReduceOutput = { add: emit };
  const takesOut = wantsOut(fn);
  const { setEmitter = null } = run;
  if (setEmitter !== null) {
    withEmitter(setEmitter, emit, name, () => void (takesOut ? fn(pairs, out, params) : fn(pairs, params)));
    return undefined;
  }
  const result = takesOut ? fn(pairs, out, params) : fn(pairs, params);
  if (takesOut && isNothing(result)) return undefined;
  if (emitSync(result, emit, name)) return undefined;
  if (!isAsyncResult(result)) throw notPairs(result, name, takesOut);
  return finish(result, run, takesOut);
}

async function finish(result: unknown, run: ReduceRun, takesOut: boolean): Promise<void> {
  if (!isPromise(result)) return emitAsync(result, run.emit, run.name);
  const settled = await result;
  if (takesOut && isNothing(settled)) return;
  if (emitSync(settled, run.emit, run.name)) return;
  if (!isAsyncResult(settled)) throw notPairs(settled, run.name, takesOut);
  await emitAsync(settled, run.emit, run.name);
}

/** Whether a reduce is of the signature with `out`. */
export function wantsOut(fn: ReduceFn): boolean {
  const declared = parameters(fn);
  if (declared.length !== 2) return declared.length > 2;
  const second = declared[1] as string;
  if (/^_?out(put)?\b/i.test(second)) return true;
  if (/^\{[^}]*\badd\b/.test(second)) return true;
  const name = /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(second)?.[0];
  if (name === undefined) return false;
  const call = new RegExp(`(?<![\\p{ID_Continue}$.])${name.replaceAll("$", "\\$")}\\s*\\.\\s*add\\s*\\(`, "u");
  return call.test(Function.prototype.toString.call(fn));
}

/** What a function evaluates to that is called for its effect. */
function isNothing(result: unknown): boolean {
  return result === undefined || result === null;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>>).then === "function";
}

function notPairs(result: unknown, name: string, takesOut: boolean): DiscoError {
  if (!takesOut) return badResult(result, name);
  return new DiscoError(
    `${name} returned ${describe(result)}: with out.add it returns nothing, otherwise an iterable of [key, value]`,
    { code: "bad-result" },
  );
}
