/**
 * What is in `disco.toml`, and on which lines.
 *
 * A file that was found by looking, and not named, must belong to the user (or to root): whoever may write to a directory above
 * could otherwise send other people's jobs, and their tokens, to a master of their own.
 */
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { nearestName } from "../client/nearest-name.ts";
import { DiscoError } from "../errors.ts";
import { type ConfigSearch, configFileName, findConfigFile, noConfigFile } from "./config-search.ts";
import { settingNames, settingOf } from "./table.ts";

export interface ConfigFile {
  /** Absolute path. */
  readonly file: string;
  /** Values by their whole key: `scheduler.alpha`. */
  readonly values: ReadonlyMap<string, unknown>;
  /** Keys that are no settings. Whoever reads the file refuses it, together with all else that is wrong. */
  readonly unknown: readonly UnknownKey[];
  /** Counts from 1; `null`: not found, as in an inline table that spans lines. */
  lineOf(key: string): number | null;
}

export interface UnknownKey {
  /** Where it stands, and that it is none. */
  readonly message: string;
  /** What was probably meant, a sentence. */
  readonly hint: string;
}

/**
 * The file that counts, read; `null`: there is none.
 * @throws DiscoError `bad-config-file`
 */
export function loadConfigFile(search: ConfigSearch): ConfigFile | null {
  const found = findConfigFile(search);
  if (found === null) return null;
  if (!found.isNamed) assertOurs(found.file);
  return readConfigFile(found.file);
}

function assertOurs(file: string): void {
  const user = process.getuid?.();
  const owner = statSync(file).uid;
  if (user === undefined || owner === user || owner === 0) return;
  throw refused(
    `${file} belongs to another user`,
    `Name it with --config ${file} if it can be trusted, or pass --config ${noConfigFile} to do without.`,
  );
}

function readConfigFile(file: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(`the configuration file ${file} cannot be read: ${why}`, "Correct --config or DISCO_CONFIG.", cause);
  }
  const values = flatten(parse(file, text));
  const lineOf = (key: string): number | null => lineIn(text, key);
  const unknown = [...values.keys()]
    .filter((key) => !known.has(key))
    .map((key): UnknownKey => {
      const line = lineOf(key);
      const place = line === null ? file : `${file} line ${line}`;
      return { message: `${place}: there is no setting ${key}`, hint: instead(key) };
    });
  return { file, values, unknown, lineOf };
}

/** Loaded only where there is a file. */
function parse(file: string, text: string): Record<string, unknown> {
  const toml = createRequire(import.meta.url)("smol-toml") as typeof import("smol-toml");
  try {
    return toml.parse(text);
  } catch (cause) {
    if (!(cause instanceof toml.TomlError)) throw cause;
    const [first = ""] = cause.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw refused(
      `${file} line ${cause.line}, column ${cause.column}: ${first}`,
      "The format is TOML (toml.io).",
      cause,
    );
  }
}

const known = new Set(settingNames.flatMap((name) => settingOf(name).key ?? []));
const sections = new Set([...known].flatMap((key) => (key.includes(".") ? [key.slice(0, key.indexOf("."))] : [])));

function flatten(document: Record<string, unknown>): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(document)) {
    const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (!isTable || !sections.has(key)) {
      values.set(key, value);
      continue;
    }
    for (const [inner, each] of Object.entries(value)) values.set(`${key}.${inner}`, each);
  }
  return values;
}

function instead(key: string): string {
  const secret = /^(?:(submit|read|admin)_)?tokens?$/.exec(key);
  if (secret !== null) {
    const prefix = secret[1] === "submit" || secret[1] === "read" ? `${secret[1]}_` : "";
    return `Tokens do not belong into ${configFileName}: put it into a file of its own, and write ${prefix}token_file = "…".`;
  }
  const asVariable = settingNames.map(settingOf).find(({ env }) => env === key.toUpperCase());
  const meant = asVariable?.key ?? nearestName(key.replaceAll("-", "_"), known);
  return meant === undefined ? `Settings are: ${[...known].join(", ")}.` : `Did you mean ${meant}?`;
}

/** The parser gives values without their places. */
function lineIn(text: string, key: string): number | null {
  const parts = key.split(".");
  let section = "";
  let ofSection: number | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line);
    if (header !== null) {
      section = `${dotted(header[1] ?? "")}.`;
      if (section === `${parts[0]}.`) ofSection ??= index + 1;
      continue;
    }
    const assigned = /^\s*([\w."'-]+(?:\s*\.\s*[\w"'-]+)*)\s*=/.exec(line)?.[1];
    if (assigned === undefined) continue;
    const whole = section + dotted(assigned);
    if (whole === key) return index + 1;
    if (whole === parts[0] || whole.startsWith(`${key}.`)) ofSection ??= index + 1;
  }
  return ofSection;
}

function dotted(key: string): string {
  return key.replace(/["'\s]/g, "");
}

function refused(message: string, hint: string, cause?: unknown): DiscoError {
  return new DiscoError(message, { code: "bad-config-file", hint, cause });
}
