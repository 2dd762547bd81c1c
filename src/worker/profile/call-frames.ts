/**
 * From where V8 says a function is to what its author would say: the TypeScript file, line and name. Disco's own files get
 * addresses that are the same on every machine (`disco:worker/emit.ts`).
 */
import { pathToFileURL } from "node:url";
import { packageFolder } from "../../package-files.ts";
import type { LoadedCode } from "../../shipping/load.ts";
import { type Located, ScriptInspector } from "../../shipping/script-inspector.ts";
import type { Frame, LineSamples } from "./call-tree.ts";
import { ownModule } from "./own-modules.ts";
import type { V8Node } from "./recorder.ts";

export type ProfiledCode = Pick<LoadedCode, "originalStart" | "originalLine" | "names">;

const inspector = new ScriptInspector();

export class CallFrames {
  readonly #code: ProfiledCode;
  readonly #known = new Map<string, Frame>();
  /** Names of job functions by their place: what they are called where they run may be ours. */
  readonly #names = new Map<string, string>();

  constructor(code: ProfiledCode) {
    this.#code = code;
    const fns = [...code.names.keys()];
    for (const [i, located] of inspector.locate(fns).entries()) {
      const name = code.names.get(fns[i] as (typeof fns)[number]);
      if (located.kind === "script" && name !== undefined) this.#names.set(placeOf(located), name);
    }
  }

  frame({ functionName, scriptId, url, lineNumber, columnNumber }: V8Node["callFrame"]): Frame {
    const place = `${scriptId}:${lineNumber}:${columnNumber}`;
    const key = `${place}:${functionName}`;
    let frame = this.#known.get(key);
    if (frame === undefined) {
      const address = addressOf(url);
      const isModule = address !== "" && (lineNumber < 0 || (lineNumber === 0 && columnNumber === 0));
      const name = this.#names.get(place) ?? (functionName || (isModule ? "(module)" : "(anonymous)"));
      frame = this.#frame(name, address, Math.max(0, lineNumber + 1), Math.max(0, columnNumber + 1));
      this.#known.set(key, frame);
    }
    return frame;
  }

  /** Samples by line of the user's file; only for the user's own functions. */
  lines({ callFrame, positionTicks = [] }: V8Node): LineSamples | undefined {
    const url = addressOf(callFrame.url);
    if (positionTicks.length === 0 || !url.startsWith("file:") || this.frame(callFrame).url.startsWith("disco:")) {
      return undefined;
    }
    const lines = new Map<number, number>();
    for (const { line, ticks } of positionTicks) {
      const original = this.#code.originalLine(url, line);
      if (original !== undefined) lines.set(original, (lines.get(original) ?? 0) + ticks);
    }
    return lines;
  }

  #frame(name: string, url: string, line: number, column: number): Frame {
    if (!url.startsWith("file:")) return { name, url, line, column };
    if (url.startsWith(packageFolder) && !url.includes("?disco=")) {
      return { name, url: `disco:${ownModule(url, line)}`, line, column };
    }
    const original = this.#code.originalStart({ url, line: Math.max(1, line), column: Math.max(1, column) });
    return { name, url: original.url.replace(/\?.*$/, ""), line: original.line, column: original.column };
  }
}

function placeOf({ scriptId, line, column }: Extract<Located, { kind: "script" }>): string {
  return `${scriptId}:${line}:${column}`;
}

/** CommonJS modules are known by their paths. */
function addressOf(url: string): string {
  return url.startsWith("/") ? pathToFileURL(url).href : url;
}
