/** What an import names. */
import { findPackageJSON } from "node:module";

/** The specifier names a package that is installed where `base` can see it. */
export function isPackage(specifier: string, base: string): boolean {
  if (/^(\.{0,2}\/|\.{1,2}$|#|[a-z]+:)/.test(specifier)) return false;
  try {
    return findPackageJSON(specifier, base) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Node's own resolution may differ from that of this process: a TypeScript runner is active. It may leave a file as it is,
 * so that the file's text does not tell.
 */
export function hasRunner(): boolean {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  return /(^|\s)--(experimental-)?loader\b|\b(tsx|ts-node|jiti|swc|esbuild|babel|sucrase)\b/.test(options);
}

export function isOurs(specifier: string): boolean {
  return specifier === "disco-mapreduce" || specifier.startsWith("disco-mapreduce/");
}
