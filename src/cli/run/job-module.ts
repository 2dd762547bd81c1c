/** Finds and loads the module that `disco run` was given, and says what its default export is. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DiscoError } from "../../errors.ts";

/** What a job's function gets of the command line. */
export interface RunContext {
  /** Connected to the engine of this run; closed after the function has returned. */
  readonly disco: import("../../client/disco.ts").Disco;
  /** The positional arguments: paths, globs and addresses. */
  readonly inputs: string[];
  /** `--params key=value`. */
  readonly params: Record<string, unknown>;
  /** `--partitions`, `--name` where they were given. */
  readonly partitions?: number | null;
  readonly name?: string;
}

export type JobFunction = (context: RunContext) => unknown;

export type JobExport =
  | { readonly kind: "dict"; readonly dict: Record<string, unknown> }
  | { readonly kind: "function"; readonly call: JobFunction };

export const moduleName = /\.[cm]?[jt]s$/;
const pathHint = "Give the path of a .ts, .mts, .js or .mjs file.";

export async function loadJob(file: string): Promise<JobExport> {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw usageError(`the job file ${file} does not exist`, pathHint);
  if (!found.isFile()) throw usageError(`${file} is not a file`, "Give the path of the file with the job.");
  if (extname(file) !== "" && !moduleName.test(file))
    throw usageError(`the job file ${file} is not a module`, pathHint);
  const module = (await importPlaced(path)) as { readonly default?: unknown };
  return classify(module.default, file);
}

/** Node knows where V8 found a syntax error, but says so only where nobody catches it: it is asked again. */
async function importPlaced(path: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    if (error instanceof SyntaxError && error.stack?.startsWith("SyntaxError") === true) {
      const { stderr } = spawnSync(process.execPath, ["--check", path], { encoding: "utf8" });
      const at = stderr.indexOf(`\n\nSyntaxError: ${error.message}\n`);
      if (at > 0 && stderr.startsWith(`${path}:`)) error.stack = `${stderr.slice(0, at + 2)}${error.stack}`;
    }
    throw error;
  }
}

function classify(value: unknown, file: string): JobExport {
  if (typeof value === "function") return { kind: "function", call: value as JobFunction };
  if (isJobDict(value)) return { kind: "dict", dict: value };
  const got = value === undefined ? "it has none" : `it is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}`;
  throw usageError(
    `the default export of ${file} must be a job or a function; ${got}`,
    `End the file with \`export default { input, map, reduce }\`; a program that runs jobs itself is started by \`node ${file}\`.`,
  );
}

/** A job dict, plain or a `JobDict`, is told by its own options: every job has a map, a reduce or a pipeline. */
export function isJobDict(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return ["map", "reduce", "pipeline", "input"].some((key) => Object.hasOwn(value, key));
}

/** `word-count.ts` → `word_count`. */
export function jobNameOf(file: string): string {
  const name = basename(file, extname(file)).replace(/\W+/g, "_").slice(0, 100);
  return name === "" ? "job" : name;
}

export function usageError(message: string, hint: string): DiscoError {
  return new DiscoError(message, { code: "bad-argument", hint });
}
