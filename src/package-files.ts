/**
 * Where this package's own files are. The sources are modules in folders; the build puts them into a few large files that lie
 * side by side (`scripts/build.ts`), so that a module must not look for others relative to itself. It asks here: this file lies
 * at the top of `src/`, and whatever it is built into at the top of `dist/`.
 */

// Every file of the build begins with this one's: the check comes before anything that an older Node cannot run.
import "./node-version.ts";

/** Folder of all our code, as a `file:` URL with a slash at the end. */
export const packageFolder = new URL("./", import.meta.url).href;

/** Whether it runs from its sources. */
export const fromSource = import.meta.url.endsWith(".ts");

/** A module that is started or imported by its address, not by an import: `worker/main`. It is an entry of the build. */
export function packageModule(name: string): URL {
  return new URL(`${name}${fromSource ? ".ts" : ".js"}`, packageFolder);
}

/** What users import: the entries of package.json. */
const entries: ReadonlyMap<string, string> = new Map([
  ["disco-mapreduce", packageModule("index").href],
  ["disco-mapreduce/fn", packageModule("fn/index").href],
]);

/** The copy of ours that runs, for an import by a user's module; `null`: the import is of something else. */
export function packageEntry(specifier: string): string | null {
  return entries.get(specifier) ?? null;
}
