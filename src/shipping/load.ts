/**
 * Shipped functions in a worker. Slices are served under the URL of the file that they were cut from, with a query, so that
 * what they import is found from there, and stacks name the user's file.
 */
import { registerHooks } from "node:module";
import { DiscoError } from "../errors.ts";
import { packageEntry } from "../package-files.ts";
import type { FnRef, ShippedCode, ShippedFn, ShippedModule } from "../protocol/job-data.ts";
import { decodeValue } from "../protocol/value.ts";
import type { JobFunction } from "./job-function.ts";
import { moduleFormat } from "./module-format.ts";
import { type Place, StackTranslator, type Translation } from "./stack.ts";

export interface LoadOptions {
  /** Finds Disco's own function by name; `args` are given when it is made by a factory. */
  readonly findOwn?: (name: string, args: readonly unknown[] | undefined) => JobFunction;
  /** `file:` URL of the script that submitted the job: it must not run again, so importing it is an error. */
  readonly entryUrl?: string;
}

/** Takes what a `yield` of a pair has become, and what a `yield*` has. */
export type SetEmitter = (emit: (key: unknown, value: unknown) => void, emitAll: (pairs: unknown) => void) => void;

export interface LoadedCode {
  /** @throws DiscoError `unknown-function` */
  fn(ref: FnRef): JobFunction;
  /** Gives a function that calls an emitter what it shall call; `null` for one that returns what it has. */
  emitter(ref: FnRef): SetEmitter | null;
  /** An error in terms of the user's own files. */
  translate(error: unknown): Translation;
  /** Where a function that begins at a place in a loaded module begins in the user's file. */
  originalStart(place: Place): Place;
  /** Where a whole line is; `undefined` where lines were lost on the way. */
  originalLine(url: string, line: number): number | undefined;
  /** The user's functions under the names that the user knows them by. */
  readonly names: ReadonlyMap<JobFunction, string>;
}

const valuesSymbol = Symbol.for("disco-mapreduce.values");
/** Modules by the URL of each of their instances. */
const modules = new Map<string, ShippedModule>();
/** How often this process has loaded code. */
let loads = 0;
const entries = new Set<string>();
let isHooked = false;

/**
 * Imports the code's modules and finds its functions. What a module throws when it is imported comes out as it is. Each call makes
 * instances of its own, whose module-level variables have the values they were sent with: a set that an earlier job, or an attempt
 * that failed, has filled would drop records silently.
 */
export async function loadCode(shipped: ShippedCode, options: LoadOptions = {}): Promise<LoadedCode> {
  installHooks();
  const instance = loads++;
  const code =
    instance === 0
      ? shipped
      : {
          ...shipped,
          modules: shipped.modules.map((module) => ({ ...module, url: `${module.url}&load=${instance}` })),
        };
  if (options.entryUrl !== undefined) entries.add(options.entryUrl);
  for (const { key, bytes } of code.values ?? []) registry().set(key, decodeValue(bytes));
  for (const module of code.modules) modules.set(module.url, module);
  const namespaces: Record<string, unknown>[] = [];
  for (const { url } of code.modules) namespaces.push((await import(url)) as Record<string, unknown>);
  const fns = code.fns.map((fn) => find(fn, namespaces, options));
  const translator = new StackTranslator(code.modules);
  const names = new Map<JobFunction, string>();
  for (const [ref, fn] of code.fns.entries()) if (fn.kind === "export") names.set(fns[ref] as JobFunction, fn.display);
  return {
    fn(ref) {
      const fn = fns[ref];
      if (fn === undefined) throw new DiscoError(`the job has no function ${ref}`, { code: "unknown-function" });
      return fn;
    },
    emitter(ref) {
      const fn = code.fns[ref];
      if (fn?.kind !== "export" || fn.emitter === undefined) return null;
      return namespaces[fn.module]?.[fn.emitter] as SetEmitter;
    },
    translate: (error) => translator.translate(error),
    originalStart: (place) => translator.originalStart(place),
    originalLine: (url, line) => translator.originalLine(url, line),
    names,
  };
}

/** Makes `disco-mapreduce` mean the running copy of this package for every module that is loaded from now on. */
export function installHooks(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (modules.has(specifier)) return { url: specifier, format: "module", shortCircuit: true };
      // Without the next resolver: that of require() takes no URLs.
      const entry = packageEntry(specifier);
      if (entry !== null) return { url: entry, shortCircuit: true };
      const { parentURL } = context;
      const isFromSlice = parentURL !== undefined && modules.has(parentURL);
      const resolved = isFromSlice
        ? nextResolve(specifier, { ...context, parentURL: parentURL.slice(0, parentURL.lastIndexOf("?disco=")) })
        : nextResolve(specifier, context);
      if (entries.has(resolved.url)) throw importsEntry(parentURL, resolved.url);
      return resolved;
    },
    load(url, context, nextLoad) {
      const module = modules.get(url);
      if (module === undefined) {
        const format = moduleFormat(url, context.format);
        return nextLoad(url, format === undefined ? context : { ...context, format });
      }
      return { format: module.format, source: module.source, shortCircuit: true };
    },
  });
}

function registry(): Map<string, unknown> {
  const known = Reflect.get(globalThis, valuesSymbol) as Map<string, unknown> | undefined;
  if (known !== undefined) return known;
  const created = new Map<string, unknown>();
  Object.defineProperty(globalThis, valuesSymbol, { value: created, configurable: true });
  return created;
}

function find(fn: ShippedFn, namespaces: readonly Record<string, unknown>[], { findOwn }: LoadOptions): JobFunction {
  const found = fn.kind === "own" ? findOwn?.(fn.name, fn.args) : namespaces[fn.module]?.[fn.name];
  if (typeof found !== "function") {
    throw new DiscoError(`the job's function ${fn.kind === "own" ? fn.name : fn.display} is missing in its code`, {
      code: "unknown-function",
      hint: "Submit the job with the same version of disco-mapreduce as the node runs.",
    });
  }
  // A function that was anonymous where it stood has the name of our variable now: stacks should say `map`.
  if (fn.kind === "export" && found.name === fn.name) {
    Object.defineProperty(found, "name", { value: fn.display, configurable: true });
  }
  return found;
}

function importsEntry(parent: string | undefined, url: string): DiscoError {
  const importer = parent?.replace(/\?.*/, "") ?? "a module";
  return new DiscoError(
    `${importer} imports ${url}, the script that started the job, which must not run again on a worker`,
    {
      code: "imports-entry",
      hint: "Move what both modules use into a third one.",
    },
  );
}
