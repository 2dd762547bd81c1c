import { readFileSync } from "node:fs";
import { packageFolder } from "./package-files.ts";

/** From package.json, which lies above both `src/` and `dist/`. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", packageFolder), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
