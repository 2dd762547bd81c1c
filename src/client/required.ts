/** What a job takes along besides its functions: files and modules. */
import { readFileSync } from "node:fs";
import { createRequire, findPackageJSON, isBuiltin } from "node:module";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { JobError } from "../errors.ts";
import { badOption } from "./bad-option.ts";
import { fileFault } from "./file-fault.ts";
import { isFileName } from "./option-checks.ts";

/** All of a job's files together, in bytes: they travel inside of the job pack. */
export const filesBytesMax = 512 * 1024 * 1024;

/** Contents by file name. Throws `JobError` `no-such-file` or `bad-option`. */
export function readRequiredFiles(
  files: readonly string[] | Readonly<Record<string, string | Uint8Array>> = {},
): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  let bytes = 0;
  const add = (name: string, contents: Uint8Array): void => {
    found.set(name, contents);
    bytes += contents.length;
    if (bytes <= filesBytesMax) return;
    throw badOption(`requiredFiles are larger than ${filesBytesMax} bytes together`, "Read big data as input.");
  };
  if (!Array.isArray(files)) {
    for (const [name, contents] of Object.entries(files as Record<string, string | Uint8Array>)) {
      add(name, typeof contents === "string" ? Buffer.from(contents) : contents);
    }
    return found;
  }
  for (const path of files as readonly string[]) {
    const name = basename(path);
    if (!isFileName(name)) throw badOption(`requiredFiles: ${JSON.stringify(path)} is not the path of a file`);
    if (found.has(name)) {
      throw badOption(
        `requiredFiles: two files are called ${name}; all files lie in one directory`,
        "Give one of them another name: { name: contents }.",
      );
    }
    add(name, readRequiredFile("requiredFiles", path));
  }
  return found;
}

/** `what`: the option, for messages. Throws `JobError` `no-such-file`. */
export function readRequiredFile(what: string, path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new JobError(`${what}: ${path} cannot be read: ${fileFault(error)}`, {
      code: "no-such-file",
      cause: error,
      hint: `It was looked for at ${resolve(path)}.`,
    });
  }
}

/**
 * Addresses that a worker can import, of modules as the submitting script sees them: packages from the script's folder,
 * paths from the working directory.
 */
export function resolveRequiredModules(specifiers: readonly string[] = []): string[] {
  return specifiers.map((specifier) => {
    if (isBuiltin(specifier) || specifier.startsWith("file:")) return specifier;
    if (/^\.{0,2}\//.test(specifier)) return pathToFileURL(readable(resolve(specifier), specifier)).href;
    const script = process.argv[1];
    for (const base of [...(script === undefined ? [] : [script]), resolve("script.js")]) {
      const found = findPackage(specifier, base);
      if (found !== undefined) return pathToFileURL(found).href;
    }
    throw new JobError(`requiredModules: the module ${specifier} is not installed`, {
      code: "no-such-module",
      hint: `Install it (npm install ${specifier}), or give a path that begins with ./`,
    });
  });
}

function readable(path: string, specifier: string): string {
  try {
    return createRequire(import.meta.url).resolve(path);
  } catch (error) {
    throw new JobError(`requiredModules: no such module: ${specifier}`, {
      code: "no-such-module",
      cause: error,
      hint: `It was looked for at ${path}.`,
    });
  }
}

function findPackage(specifier: string, base: string): string | undefined {
  try {
    return createRequire(base).resolve(specifier);
  } catch {
    return importOnly(specifier, base);
  }
}

/** The entry of a package that can be imported and not required. */
function importOnly(specifier: string, base: string): string | undefined {
  try {
    const file = findPackageJSON(specifier, pathToFileURL(base));
    if (file === undefined) return undefined;
    const { exports, main } = JSON.parse(readFileSync(file, "utf8")) as { exports?: unknown; main?: string };
    const entry = conditional(exports) ?? main;
    return entry === undefined ? undefined : resolve(dirname(file), entry);
  } catch {
    return undefined;
  }
}

function conditional(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (typeof target !== "object" || target === null) return undefined;
  const { ".": root, node, import: imported, default: usual } = target as Record<string, unknown>;
  return conditional(root ?? node ?? imported ?? usual);
}
