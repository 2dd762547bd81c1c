/**
 * How the job's module is loaded.
 *
 * - `disco-mapreduce` means the copy that runs, wherever the job's file lies: a job in a folder without dependencies works,
 *   and the classes that the module imports are the very classes of this process.
 * - A file with `import` or `export` is an ECMAScript module also in a folder whose package.json says (or npm wrote)
 *   `"type": "commonjs"`, or nothing: the default of `npm init` would otherwise refuse the first job one writes.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

const ownIndex = new URL(import.meta.url.endsWith(".ts") ? "../../index.ts" : "../../index.js", import.meta.url).href;
const moduleSyntax = /^\s*(?:import\s*[\w{*"']|export\s+(?:default|const|let|var|class|function|async|type|interface|\{|\*))/m;

export function hookModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "disco-mapreduce") return { url: ownIndex, shortCircuit: true };
      return next(specifier, context);
    },
    load(url, context, next) {
      const format = formatOf(url, context.format);
      return next(url, format === undefined ? context : { ...context, format });
    },
  });
}

function formatOf(url: string, format: string | null | undefined): string | undefined {
  if (!/^file:.*\.[jt]s$/.test(url) || url.includes("/node_modules/")) return undefined;
  if (format?.startsWith("module")) return undefined;
  if (!moduleSyntax.test(readFileSync(fileURLToPath(url), "utf8"))) return undefined;
  return url.endsWith(".ts") ? "module-typescript" : "module";
}
