/**
 * How the job's module is loaded.
 *
 * - `disco-mapreduce` means the copy that runs, wherever the job's file lies: a job in a folder without dependencies works,
 *   and the classes that the module imports are the very classes of this process.
 * - A file with `import` or `export` is an ECMAScript module whatever package.json says, here as in workers.
 */
import { registerHooks } from "node:module";
import { packageEntry } from "../../package-files.ts";
import { moduleFormat } from "../../shipping/module-format.ts";

export function hookModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const entry = packageEntry(specifier);
      if (entry !== null) return { url: entry, shortCircuit: true };
      return next(specifier, context);
    },
    load(url, context, next) {
      const format = moduleFormat(url, context.format);
      return next(url, format === undefined ? context : { ...context, format });
    },
  });
}
