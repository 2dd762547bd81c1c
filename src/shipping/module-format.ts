/**
 * A user's file with `import` or `export` is an ECMAScript module, also in a folder whose package.json says (because npm wrote
 * it so) `"type": "commonjs"`, or says nothing: the default of `npm init` would otherwise refuse the first job one writes.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const moduleSyntax =
  /^\s*(?:import\s*[\w{*"']|export\s+(?:default|const|let|var|class|function|async|type|interface|abstract|\{|\*))/m;

/** The format to load `url` as, for a `load` hook; `undefined`: as Node would. */
export function moduleFormat(url: string, format: string | null | undefined): string | undefined {
  if (!/^file:[^?#]*\.[jt]s(?:[?#].*)?$/.test(url) || url.includes("/node_modules/")) return undefined;
  if (format?.startsWith("module") === true) return undefined;
  const file = fileURLToPath(url.replace(/[?#].*$/, ""));
  try {
    if (!moduleSyntax.test(readFileSync(file, "utf8"))) return undefined;
  } catch {
    // Not there: Node's own error is the better one.
    return undefined;
  }
  return file.endsWith(".ts") ? "module-typescript" : "module";
}
