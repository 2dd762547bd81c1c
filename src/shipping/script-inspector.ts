/**
 * What V8 itself knows about a function: where it was defined, and the present values of its module's variables.
 *
 * `fn.toString()` gives a function's text but not its place, and without its place its imports, helpers and constants are
 * unknown. V8's inspector answers from within the same process, without a port and without `--inspect`. The debugger domain
 * is switched on only when nothing else helps (`source`): that costs about 50 ms once, where the rest costs about 1 ms.
 */
import { Session } from "node:inspector";
import type { JobFunction } from "./job-function.ts";
import type { Position } from "./positions.ts";

export type Located =
  | ({ readonly kind: "script"; readonly scriptId: string } & Position)
  | { readonly kind: "native" }
  | { readonly kind: "bound" };

export interface ScriptText {
  readonly url: string;
  readonly text: string;
  /** As V8 saw it: a `data:` URL, a path, or empty. */
  readonly sourceMapUrl: string;
}

interface RemoteObject {
  readonly type: string;
  readonly objectId?: string;
  readonly description?: string;
  readonly value?: unknown;
  /** `NaN`, `-0`, `Infinity`, `12n`: what JSON has no word for. */
  readonly unserializableValue?: string;
}
interface Property {
  readonly name: string;
  readonly value?: RemoteObject;
}
interface Properties {
  readonly result: readonly Property[];
  readonly internalProperties?: readonly Property[];
}

const exchangeKey = Symbol.for("disco-mapreduce.inspected");
const exchange = `globalThis[Symbol.for("disco-mapreduce.inspected")]`;
const objectGroup = "disco-mapreduce";

export class ScriptInspector {
  readonly #session = new Session();
  readonly #located = new WeakMap<object, Located>();
  readonly #urls = new Map<string, string>();
  readonly #texts = new Map<string, { url: string; sourceMapUrl: string }>();
  #isConnected = false;

  locate(fns: readonly JobFunction[]): Located[] {
    const unknown = fns.filter((fn) => !this.#located.has(fn));
    if (unknown.length > 0) {
      this.#exchanging(unknown, (array) => {
        for (const property of this.#properties(array).result) {
          const fn = /^\d+$/.test(property.name) ? unknown[Number(property.name)] : undefined;
          if (fn !== undefined) this.#located.set(fn, this.#locationOf(property.value));
        }
      });
    }
    return fns.map((fn) => this.#located.get(fn) ?? { kind: "native" });
  }

  /** Names of scripts, as `scriptUrl` would find them. */
  know(scripts: ReadonlyMap<string, string> = new Map()): void {
    for (const [scriptId, url] of scripts) this.#urls.set(scriptId, url);
  }

  /** The name under which V8 knows a script: a `file:` URL, or a path for CommonJS; empty when it is not known. */
  scriptUrl(scriptId: string): string {
    let url = this.#urls.get(scriptId);
    if (url !== undefined) return url;
    // Coverage counters that V8 keeps anyway name each script; no other answer is as cheap.
    this.#post("Profiler.enable");
    const coverage = this.#post<{ result: { scriptId: string; url: string }[] }>("Profiler.getBestEffortCoverage");
    this.#post("Profiler.disable");
    for (const script of coverage.result) this.#urls.set(script.scriptId, script.url);
    url = this.#urls.get(scriptId) ?? this.source(scriptId)?.url ?? "";
    this.#urls.set(scriptId, url);
    return url;
  }

  /** The text that V8 runs. Slow (about 50 ms). */
  source(scriptId: string): ScriptText | undefined {
    this.#connect();
    const remember = ({ params }: { params: { scriptId: string; url: string; sourceMapURL?: string } }): void => {
      this.#texts.set(params.scriptId, { url: params.url, sourceMapUrl: params.sourceMapURL ?? "" });
    };
    this.#session.on("Debugger.scriptParsed", remember);
    try {
      this.#post("Debugger.enable");
      const known = this.#texts.get(scriptId);
      if (known === undefined) return undefined;
      const { scriptSource } = this.#post<{ scriptSource: string }>("Debugger.getScriptSource", { scriptId });
      return { ...known, text: scriptSource };
    } finally {
      this.#post("Debugger.disable");
      this.#session.off("Debugger.scriptParsed", remember);
      this.#texts.clear();
    }
  }

  /** Present values of variables of the outermost scopes of `fn` (its module's); those that V8 does not show are left out. */
  moduleValues(fn: JobFunction, names: ReadonlySet<string>): Map<string, unknown> {
    const values = new Map<string, unknown>();
    /** Index in the exchanged array. */
    const objects = new Map<string, number>();
    let pushed = 1;
    this.#exchanging(
      [fn],
      (array) => {
        const remote = this.#properties(array).result.find((property) => property.name === "0")?.value;
        const scopes = this.#properties(remote).internalProperties?.find(({ name }) => name === "[[Scopes]]")?.value;
        // Innermost first, so that outer scopes, where module-level variables live, overwrite what shadows them.
        for (const scope of this.#properties(scopes).result) {
          if (!/^\d+$/.test(scope.name) || /^(Global|Script)/.test(scope.value?.description ?? "")) continue;
          for (const { name, value } of this.#properties(scope.value).result) {
            // A variable that is not initialised yet has no value that could travel.
            if (!names.has(name) || value === undefined || value.type === "undefined") continue;
            objects.delete(name);
            if (value.objectId === undefined) {
              values.set(name, primitive(value));
              continue;
            }
            const push = `function(){${exchange}.push(this)}`;
            this.#post("Runtime.callFunctionOn", { objectId: value.objectId, functionDeclaration: push, silent: true });
            objects.set(name, pushed);
            pushed += 1;
          }
        }
      },
      (exchanged) => {
        for (const [name, index] of objects) values.set(name, exchanged[index]);
      },
    );
    return values;
  }

  #locationOf(remote: RemoteObject | undefined): Located {
    const internal = this.#properties(remote).internalProperties ?? [];
    const location = internal.find(({ name }) => name === "[[FunctionLocation]]")?.value?.value;
    if (location !== undefined) {
      const { scriptId, lineNumber, columnNumber } = location as {
        scriptId: string;
        lineNumber: number;
        columnNumber: number;
      };
      return { kind: "script", scriptId, line: lineNumber, column: columnNumber };
    }
    return { kind: internal.some(({ name }) => name === "[[TargetFunction]]") ? "bound" : "native" };
  }

  #exchanging(
    array: unknown[],
    work: (remote: RemoteObject) => void,
    done?: (array: readonly unknown[]) => void,
  ): void {
    const exchanged = [...array];
    Reflect.set(globalThis, exchangeKey, exchanged);
    try {
      work(this.#post<{ result: RemoteObject }>("Runtime.evaluate", { expression: exchange, objectGroup }).result);
      done?.(exchanged);
    } finally {
      Reflect.deleteProperty(globalThis, exchangeKey);
      this.#post("Runtime.releaseObjectGroup", { objectGroup });
    }
  }

  #properties(remote: RemoteObject | undefined): Properties {
    if (remote?.objectId === undefined) return { result: [] };
    return this.#post<Properties>("Runtime.getProperties", { objectId: remote.objectId, ownProperties: true });
  }

  #connect(): void {
    if (this.#isConnected) return;
    this.#session.connect();
    this.#isConnected = true;
  }

  /** Within one thread the inspector answers before `post` returns. */
  #post<T>(method: string, params: object = {}): T {
    this.#connect();
    let failure: Error | null = null;
    let result: unknown;
    this.#session.post(method, params, (error, value) => {
      failure = error;
      result = value;
    });
    if (failure !== null) throw failure;
    return result as T;
  }
}

function primitive({ value, unserializableValue }: RemoteObject): unknown {
  if (unserializableValue === undefined) return value;
  return unserializableValue.endsWith("n") ? BigInt(unserializableValue.slice(0, -1)) : Number(unserializableValue);
}
