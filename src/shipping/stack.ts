/** Errors of a worker in terms of the user's own files: stack, place, and a code frame. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packageFolder } from "../package-files.ts";
import type { ShippedModule } from "../protocol/job-data.ts";
import { codeFrame } from "./code-frame.ts";

export interface Translation {
  readonly stack: string;
  /** 1-based line and column. */
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  readonly frame: string | undefined;
}

export interface Place {
  readonly url: string;
  /** 1-based, both. */
  readonly line: number;
  readonly column: number;
}

type Entry = ReturnType<SourceMap["findEntry"]>;
type FindEntry = (map: SourceMap, line: number, column: number) => Entry;
type Corrections = Pick<ShippedModule, "insertions"> & { readonly sourceMap?: string };

/** Enough to see how one's own code was reached; the rest is how Disco works. */
const stackFramesMax = 20;
/** How far a function's first name or parameter is behind its beginning: `async *["…"](…`. */
const parametersCharsMax = 100;
const framePattern = /^(\s+at (?:.*? \()?)((?:file:\/\/|node:|\/|[A-Za-z]:\\).*?):(\d+):(\d+)(\)?)$/;

export class StackTranslator {
  readonly #modules: ReadonlyMap<string, ShippedModule>;
  readonly #maps = new Map<string, SourceMap>();

  constructor(modules: readonly ShippedModule[]) {
    this.#modules = new Map(modules.map((module) => [module.url, module]));
  }

  translate(error: unknown): Translation {
    const stack = stackOf(error);
    const lines: string[] = [];
    const places: Place[] = [];
    for (const line of stack.split("\n")) {
      const match = framePattern.exec(line);
      if (match === null) {
        if (!/^\s+at /.test(line)) lines.push(this.#cleaned(line));
        continue;
      }
      const [, before, address, row, column, after] = match as unknown as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      const url = address.startsWith("/") ? pathToFileURL(address).href : address;
      if (url.startsWith("node:") || this.#isOwn(url) || places.length >= stackFramesMax) continue;
      const place = this.original({ url, line: Number(row), column: Number(column) });
      places.push(place);
      lines.push(`${before}${pathOf(place.url)}:${place.line}:${place.column}${after}`);
    }
    const place = places.find(({ url }) => !url.includes("/node_modules/")) ?? places[0] ?? this.#syntaxPlace(stack);
    const location = place && { file: pathOf(place.url), line: place.line, column: place.column };
    return { stack: lines.join("\n"), location, frame: place && this.#frame(place) };
  }

  /** Where a place in a loaded module is in the user's file. */
  original(place: Place): Place {
    return this.#original(place, mapped);
  }

  /**
   * The same for the place where a function begins. What stands before it on its line may come from elsewhere: of the places that
   * a source map knows, the first within the function counts.
   */
  originalStart(place: Place): Place {
    return this.#original(place, mappedWithin);
  }

  #original(place: Place, find: FindEntry): Place {
    const module = this.#modules.get(place.url);
    if (module === undefined) return place;
    const first = this.#corrected(place, module, module.url, find);
    const part = module.parts?.find(({ name }) => name === first.name);
    const last = part === undefined ? first : this.#corrected({ ...first, url: part.url }, part, part.name, find);
    return { url: withoutQuery(last.url), line: last.line, column: last.column };
  }

  /**
   * Where a whole line of a loaded module is in the user's file. `undefined` where lines were lost on the way: a TypeScript runner
   * may put a file into one.
   */
  originalLine(url: string, line: number): number | undefined {
    const module = this.#modules.get(url);
    if (module === undefined || (module.sourceMap === undefined && module.parts === undefined)) return line;
    const isLossy = module.parts === undefined || module.parts.some(({ sourceMap }) => sourceMap !== undefined);
    // The last statement of a line: the one before the first may be of another file.
    return isLossy ? undefined : this.original({ url, line, column: Number.MAX_SAFE_INTEGER }).line;
  }

  #corrected(
    place: Place,
    { insertions, sourceMap }: Corrections,
    key: string,
    find: FindEntry,
  ): Place & { name?: string } {
    let { column } = place;
    for (const [line, at, length] of insertions) {
      if (line === place.line && column - 1 >= at) column = Math.max(at + 1, column - length);
    }
    if (sourceMap === undefined) return { ...place, column };
    let map = this.#maps.get(key);
    if (map === undefined) {
      map = new SourceMap(JSON.parse(sourceMap));
      this.#maps.set(key, map);
    }
    const entry = find(map, place.line - 1, column - 1);
    if (!("originalSource" in entry)) return { ...place, column };
    const name = entry.originalSource;
    const url = name.startsWith("/") ? pathToFileURL(name).href : new URL(name, place.url).href;
    return { url, name, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }

  #isOwn(url: string): boolean {
    // They say nothing about the user's mistake.
    return url.startsWith(packageFolder) && !this.#modules.has(url);
  }

  /** Slices in texts (`SyntaxError`s, unresolved imports) under the name of the user's file. */
  #cleaned(line: string): string {
    return line.replaceAll(/\?disco=[0-9a-f]+(?:&load=\d+)?/g, "");
  }

  /** A module that does not compile has no frames: its place is the first line of the stack, and a caret below the second one. */
  #syntaxPlace(stack: string): Place | undefined {
    const match = /^(file:\/\/\S+):(\d+)$(?:\n.*\n([ \t]*)\^)?/m.exec(stack);
    if (match === null) return undefined;
    return this.original({ url: match[1] as string, line: Number(match[2]), column: (match[3] ?? "").length + 1 });
  }

  #frame(place: Place): string | undefined {
    const source = readText(place.url) ?? this.#carriedSource(place.url);
    const frame = source === undefined ? "" : codeFrame(source, place);
    return frame === "" ? undefined : frame;
  }

  /** Where the user's file is not on this machine: what travelled of it. */
  #carriedSource(url: string): string | undefined {
    for (const module of this.#modules.values()) {
      if (module.sourceMap === undefined && withoutQuery(module.url) === url) return module.source;
      const contents = module.sourceMap === undefined ? undefined : sourceContent(module, url);
      if (contents !== undefined) return contents;
    }
    return undefined;
  }
}

function mapped(map: SourceMap, line: number, column: number): Entry {
  return map.findEntry(line, column);
}

function mappedWithin(map: SourceMap, line: number, column: number): Entry {
  const before = map.findEntry(line, column);
  if (isAt(before, line, column)) return before;
  for (let next = column + 1; next < column + parametersCharsMax; next++) {
    const entry = map.findEntry(line, next);
    if (isAt(entry, line, next)) return entry;
  }
  return before;
}

function isAt(entry: Entry, line: number, column: number): boolean {
  return "originalSource" in entry && entry.generatedLine === line && entry.generatedColumn === column;
}

function sourceContent({ sourceMap, url: base }: ShippedModule, url: string): string | undefined {
  const { sources, sourcesContent } = JSON.parse(sourceMap ?? "{}") as {
    sources: string[];
    sourcesContent?: (string | null)[];
  };
  const index = sources.findIndex((source) => withoutQuery(new URL(source, base).href) === url);
  return sourcesContent?.[index] ?? undefined;
}

function stackOf(error: unknown): string {
  if (error instanceof Error) return typeof error.stack === "string" ? error.stack : `${error.name}: ${error.message}`;
  return `thrown: ${typeof error === "string" ? error : JSON.stringify(error)}`;
}

function withoutQuery(url: string): string {
  const at = url.indexOf("?");
  return at < 0 ? url : url.slice(0, at);
}

function pathOf(url: string): string {
  try {
    return url.startsWith("file:") ? fileURLToPath(withoutQuery(url)) : url;
  } catch {
    return url;
  }
}

function readText(url: string): string | undefined {
  try {
    return readFileSync(fileURLToPath(url), "utf8").replace(/^\uFEFF/, "");
  } catch {
    return undefined;
  }
}
