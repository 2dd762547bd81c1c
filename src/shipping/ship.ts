/**
 * From functions to what a worker can import (`ShippedCode`), with every reason why that cannot be as an error beforehand.
 *
 *   locate     V8 tells each function's script, line and column          script-inspector.ts
 *   read       the script's text, as executed                            script-source.ts
 *   analyse    which declarations of the module a function uses          module-analysis.ts, closure.ts
 *   slice      these, at their places, as a module                       slice.ts
 *   bundle     only where the worker could not import what they import   bundle.ts
 *
 * Sending `fn.toString()` would be simpler, and breaks with the first function that uses an import or a helper.
 */
import { createHash } from "node:crypto";
import { isBuiltin } from "node:module";
import { JobError } from "../errors.ts";
import type { FnRef, ShippedCode, ShippedFn, ShippedModule } from "../protocol/job-data.ts";
import { encodeValue } from "../protocol/value.ts";
import type { LiveModule } from "./closure.ts";
import type { JobFunction } from "./job-function.ts";
import { asksOnlyForItsKey } from "./key-buffer.ts";
import { type FoundFunction, ModuleAnalysis } from "./module-analysis.ts";
import { ownMark } from "./own-mark.ts";
import { ScriptInspector } from "./script-inspector.ts";
import { type ScriptSource, ScriptSources } from "./script-source.ts";
import { type Slice, sliceModule, valuesKeyMark } from "./slice.ts";
import type { SliceRoot } from "./slice-target.ts";
import { hasRunner, isOurs, isPackage } from "./specifiers.ts";
import { loadParsers, parseSyntax } from "./syntax.ts";

export interface ShipRequest {
  /** What the function is to the job, for messages: `map`, `reduceInit`, `params.score`. */
  readonly role: string;
  readonly fn: JobFunction;
  /** All that is done with its pairs is to emit them: it is called as a map or reduce, and as nothing else. */
  readonly isEmitted?: boolean;
}

export interface ShipOptions {
  /** The code has to run on machines that have nothing of the submitter's files and packages. */
  readonly portable: boolean;
  /** Addresses of scripts by V8's ids, as far as they are known. */
  readonly scripts?: ReadonlyMap<string, string> | undefined;
}

export interface Shipment {
  readonly code: ShippedCode;
  /** Parallel to the requests. */
  readonly refs: readonly FnRef[];
  /** Functions that could be combiners which ask their buffer only for their own key (`key-buffer.ts`). */
  readonly keyed: ReadonlySet<FnRef>;
}

/** One slice with where it came from. */
export interface SlicedModule {
  readonly source: ScriptSource;
  readonly slice: Slice;
  /** The slice's text, complete. */
  readonly text: string;
  readonly hash: string;
}

const inspector = new ScriptInspector();
const sources = new ScriptSources(inspector);
const analyses = new WeakMap<ScriptSource, ModuleAnalysis>();

/**
 * Packs functions for workers.
 * @throws JobError `captured-variable`, `reassigned-variable`, `mutated-variable`, `native-function`, `unsupported-function`,
 *   `unsupported-source`, `bundle-failed`; the message names the function, the variable and the place.
 */
export async function shipFunctions(requests: readonly ShipRequest[], options: ShipOptions): Promise<Shipment> {
  const fns: ShippedFn[] = [];
  const refs: FnRef[] = [];
  const keyed = new Set<FnRef>();
  const known = new Map<JobFunction, FnRef>();
  const travelling: (ShipRequest & { ref: FnRef })[] = [];
  for (const { role, fn, isEmitted = false } of requests) {
    let ref = known.get(fn);
    if (ref === undefined) {
      ref = fns.length;
      known.set(fn, ref);
      const mark = ownMark(fn);
      fns.push({ kind: "own", ...(mark ?? { name: "" }) });
      if (mark === undefined) travelling.push({ role, fn, ref, isEmitted });
    } else if (!isEmitted) {
      const before = travelling.findIndex((member) => member.ref === ref);
      if (before !== -1) travelling[before] = { ...(travelling[before] as (typeof travelling)[number]), isEmitted };
    }
    refs.push(ref);
  }
  if (travelling.length === 0) return { code: { portable: true, modules: [], fns }, refs, keyed };
  inspector.know(options.scripts);
  const groups = group(travelling);
  const parsers = await loadParsers();
  const sliced: SlicedModule[] = [];
  const values: { key: string; bytes: Uint8Array }[] = [];
  for (const [source, members] of groups) {
    const analysis = analyses.get(source) ?? new ModuleAnalysis(source.text, parseSyntax(parsers, source.text));
    analyses.set(source, analysis);
    const roots = members.map((member) => ({ ...member, found: find(analysis, source, member) }));
    const slice = sliceModule(liveModule(source, analysis, roots), roots);
    const bytes = slice.values.size === 0 ? undefined : encodeValue(Object.fromEntries(slice.values));
    const hash = hashOf(slice.text, bytes);
    if (bytes !== undefined) values.push({ key: hash, bytes });
    for (const [index, { ref, fn, role, found }] of roots.entries()) {
      const name = slice.exports[index] as string;
      const emitter = slice.emitters?.roots.has(index) === true ? { emitter: slice.emitters.export } : {};
      fns[ref] = { kind: "export", module: sliced.length, name, display: fn.name || role, ...emitter };
      if (asksOnlyForItsKey(analysis, found)) keyed.add(ref);
    }
    sliced.push({ source, slice, text: slice.text.replaceAll(valuesKeyMark, hash), hash });
  }
  const needsBundle = options.portable ? sliced.some(importsAnything) : sliced.some(importsUnreachable);
  if (!needsBundle) {
    const portable = !sliced.some(importsAnything);
    return { code: { portable, modules: sliced.map(moduleOf), fns, values }, refs, keyed };
  }
  const { bundleSlices } = await import("./bundle.ts");
  const bundle = await bundleSlices(sliced, options.portable);
  const bundled = fns.map((fn): ShippedFn => {
    if (fn.kind !== "export") return fn;
    const nameOf = (name: string): string => bundle.exportName(fn.module, name);
    const emitter = fn.emitter === undefined ? {} : { emitter: nameOf(fn.emitter) };
    return { ...fn, module: 0, name: nameOf(fn.name), ...emitter };
  });
  return { code: { portable: options.portable, modules: [bundle.module], fns: bundled, values }, refs, keyed };
}

function group(
  requests: readonly (ShipRequest & { ref: FnRef })[],
): Map<ScriptSource, (ShipRequest & { ref: FnRef; offset: number })[]> {
  const groups = new Map<ScriptSource, (ShipRequest & { ref: FnRef; offset: number })[]>();
  const located = inspector.locate(requests.map(({ fn }) => fn));
  for (const [index, request] of requests.entries()) {
    const { role, fn } = request;
    const place = located[index];
    if (place === undefined || place.kind !== "script") throw native(role, fn, place?.kind === "bound");
    const source = sources.get(place.scriptId, { line: place.line, column: place.column, text: fn.toString() });
    if (source === undefined) throw withoutFile(role, fn);
    const members = groups.get(source);
    const member = { ...request, offset: source.positions.offsetOf(place) };
    if (members === undefined) groups.set(source, [member]);
    else members.push(member);
  }
  return groups;
}

function find(
  analysis: ModuleAnalysis,
  source: ScriptSource,
  { role, fn, offset }: ShipRequest & { offset: number },
): FoundFunction {
  const found = analysis.findFunction(fn.toString(), offset);
  if (found !== undefined) return found;
  throw new JobError(`${role} (${fn.name || "anonymous"}) was not found in ${source.path}`, {
    code: "unsupported-function",
    hint: `Write ${role} as a function at the top level of a module, or as an arrow function in the job.`,
  });
}

function liveModule(source: ScriptSource, analysis: ModuleAnalysis, roots: readonly SliceRoot[]): LiveModule {
  const seen = new Map<string, unknown>();
  const asked = new Set<string>();
  return {
    source,
    analysis,
    values: (names) => {
      const missing = new Set([...names].filter((name) => !asked.has(name)));
      const fn = roots[0]?.fn;
      if (missing.size > 0 && fn !== undefined) {
        for (const [name, value] of inspector.moduleValues(fn, missing)) seen.set(name, value);
        for (const name of missing) asked.add(name);
      }
      return seen;
    },
    isData,
  };
}

function isData(value: unknown): boolean {
  if (value === null || typeof value !== "object") return typeof value !== "function" && typeof value !== "symbol";
  try {
    encodeValue(value);
    return true;
  } catch {
    return false;
  }
}

function moduleOf({ source, slice, text, hash }: SlicedModule): ShippedModule {
  const { sourceMap } = source;
  const url = `${source.url}?disco=${hash}`;
  return {
    url,
    format: "module",
    source: text,
    insertions: slice.insertions,
    ...(sourceMap === undefined ? {} : { sourceMap }),
  };
}

function importsAnything({ slice }: SlicedModule): boolean {
  return slice.specifiers.some((specifier) => !isBuiltin(specifier) && !isOurs(specifier));
}

/** Plain Node, in a worker, would not find what the program that runs here found: its runner resolves and compiles it. */
function importsUnreachable({ slice, source }: SlicedModule): boolean {
  if (!source.isTransformed && !hasRunner()) return false;
  return slice.specifiers.some(
    (specifier) => !isBuiltin(specifier) && !isOurs(specifier) && !isPackage(specifier, source.url),
  );
}

/** As long as `valuesKeyMark`, which it replaces without moving anything. */
function hashOf(text: string, values: Uint8Array | undefined): string {
  return createHash("sha256")
    .update(text)
    .update(values ?? "")
    .digest("hex")
    .slice(0, valuesKeyMark.length);
}

function native(role: string, fn: JobFunction, isBound: boolean): JobError {
  const name = fn.name || "anonymous";
  const what = isBound ? "a bound function" : "a function of the JavaScript engine";
  return new JobError(`${role} (${name}) is ${what}, which has no source that could travel to a worker`, {
    code: "native-function",
    hint: `Wrap it in an arrow function: \`${role}: (…args) => ${name.replace(/^bound /, "")}(…args)\`.`,
  });
}

function withoutFile(role: string, fn: JobFunction): JobError {
  return new JobError(
    `${role} (${fn.name || "anonymous"}) was not loaded from a file (eval, new Function or a prompt?), so that its module is unknown`,
    {
      code: "unsupported-source",
      hint: `Put ${role} into a module on disk.`,
    },
  );
}
