/** Why a function cannot travel: names the culprit, the function and the place in the user's own file. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { JobError } from "../errors.ts";
import { codeFrame } from "./code-frame.ts";
import type { ScriptSource } from "./script-source.ts";

export interface Travelling {
  /** What the function is to the job: `map`, `params.score`. */
  readonly role: string;
  readonly source: ScriptSource;
}

export interface TravelProblem {
  readonly code: string;
  /** A sentence without the place and without full stop. */
  readonly message: string;
  readonly hint: string;
  /** Offset in the executed text. */
  readonly offset: number;
  readonly length: number;
}

export function travelError({ source }: Pick<Travelling, "source">, problem: TravelProblem): JobError {
  const place = originalPlace(source, problem.offset);
  const at = `${place.path}:${place.line}:${place.column}`;
  const frame = place.text === undefined ? "" : codeFrame(place.text, { ...place, length: problem.length });
  const message = `${problem.message} (${at})${frame === "" ? "" : `\n\n${frame}\n`}`;
  return new JobError(message, { code: problem.code, hint: problem.hint });
}

interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly text: string | undefined;
}

export function originalPlace(source: ScriptSource, offset: number): Place {
  const executed = source.positions.at(offset);
  if (source.sourceMap !== undefined) {
    const entry = new SourceMap(JSON.parse(source.sourceMap)).findEntry(executed.line, executed.column);
    if ("originalSource" in entry) {
      const path = pathOf(entry.originalSource, source.url);
      return { path, line: entry.originalLine + 1, column: entry.originalColumn + 1, text: readText(path) };
    }
  }
  const text = source.isTransformed ? source.text : (readText(source.path) ?? source.text);
  return { path: source.path, line: executed.line + 1, column: executed.column + 1, text };
}

function pathOf(address: string, base: string): string {
  try {
    return address.startsWith("/") ? address : fileURLToPath(new URL(address, base));
  } catch {
    return address;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch {
    return undefined;
  }
}
