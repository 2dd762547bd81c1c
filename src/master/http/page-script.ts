/** A TypeScript module as a browser runs it: types are taken out, and the modules it imports are named as they are served. */
import { stripTypeScriptTypes } from "node:module";

export function pageScript(source: string): string {
  return stripQuietly(source).replace(/(\bfrom\s*"\.\/[a-z0-9-]+)\.ts"/g, '$1.js"');
}

function stripQuietly(source: string): string {
  // Node warns that the function is experimental; the loader that runs a checkout uses the same code without a warning.
  const { emitWarning } = process;
  process.emitWarning = (() => undefined) as typeof process.emitWarning;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
