/**
 * The text that a script was executed from. Under plain Node it is the file on disk, its types replaced by blanks, so that
 * positions are those of the user's file; it is taken from there when the functions stand in it where V8 says. Otherwise (a
 * TypeScript runner or a bundler transformed the file, or the file was edited since) V8 is asked for its own copy.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Positions } from "./positions.ts";
import type { ScriptInspector } from "./script-inspector.ts";

export interface ScriptSource {
  /** `file:` URL of the user's file, without query. */
  readonly url: string;
  readonly path: string;
  /** JavaScript as executed. */
  readonly text: string;
  readonly positions: Positions;
  /** The text is not the file on disk less its types: another tool made it. */
  readonly isTransformed: boolean;
  /** JSON of the tool's source map, where it left one in the script. */
  readonly sourceMap: string | undefined;
}

const sourceMapComment = /^\/\/[#@] sourceMappingURL=(\S+)\s*$/m;

/** Evidence that a text is the executed one: this function's text stands at this place. */
export interface Witness {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export class ScriptSources {
  readonly #inspector: ScriptInspector;
  readonly #byId = new Map<string, ScriptSource>();

  constructor(inspector: ScriptInspector) {
    this.#inspector = inspector;
  }

  /** `undefined`: the function was made by `eval`, `new Function` or typed into a prompt, and has no file. */
  get(scriptId: string, witness: Witness): ScriptSource | undefined {
    const known = this.#byId.get(scriptId);
    if (known !== undefined) return known;
    const url = fileUrl(this.#inspector.scriptUrl(scriptId));
    if (url === undefined) return undefined;
    const source = this.#fromDisk(url, witness) ?? this.#fromEngine(scriptId, url);
    if (source !== undefined) this.#byId.set(scriptId, source);
    return source;
  }

  #fromDisk(url: string, witness: Witness): ScriptSource | undefined {
    const path = fileURLToPath(url);
    try {
      const text = readExecutable(path);
      const positions = new Positions(text);
      if (!standsAt(text, positions.offsetOf(witness), witness.text)) return undefined;
      // Compiled or bundled earlier: its map leads to what the user wrote.
      const sourceMap = readSourceMap(sourceMapComment.exec(text)?.[1] ?? "", url);
      return { url, path, text, positions, isTransformed: false, sourceMap };
    } catch {
      return undefined; // unreadable, or TypeScript that Node cannot strip: some tool transformed it
    }
  }

  #fromEngine(scriptId: string, url: string): ScriptSource | undefined {
    const script = this.#inspector.source(scriptId);
    if (script === undefined) return undefined;
    const path = fileURLToPath(url);
    const sourceMap = readSourceMap(script.sourceMapUrl, url);
    return { url, path, text: script.text, positions: new Positions(script.text), isTransformed: true, sourceMap };
  }
}

/** A local file as JavaScript with the user's positions. */
export function readExecutable(path: string): string {
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  return /\.[cm]?ts$/.test(path) ? stripTypes(text) : text;
}

/** A location is inside of the function's text (at its parameters, or at `class`). */
function standsAt(text: string, offset: number, fnText: string): boolean {
  if (offset < 0) return false;
  const at = text.lastIndexOf(fnText, offset);
  return at >= 0 && at + fnText.length > offset;
}

function stripTypes(text: string): string {
  // Node warns that the function is experimental; the loader that ran this very file uses the same code without a warning.
  const { emitWarning } = process;
  process.emitWarning = (() => undefined) as typeof process.emitWarning;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function fileUrl(name: string): string | undefined {
  if (isAbsolute(name)) return pathToFileURL(name).href;
  if (!name.startsWith("file:")) return undefined;
  const url = new URL(name);
  url.search = "";
  url.hash = "";
  return url.href;
}

function readSourceMap(address: string, scriptUrl: string): string | undefined {
  try {
    if (address === "") return undefined;
    if (!address.startsWith("data:")) return readFileSync(fileURLToPath(new URL(address, scriptUrl)), "utf8");
    const comma = address.indexOf(",");
    const body = address.slice(comma + 1);
    return address.slice(0, comma).endsWith(";base64")
      ? Buffer.from(body, "base64").toString()
      : decodeURIComponent(body);
  } catch {
    return undefined; // positions are then those of the transformed text
  }
}
