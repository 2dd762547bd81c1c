/**
 * Which of our modules a place in our code belongs to, whether it runs from its sources or as it was built. A built file holds many
 * modules, one after the other, each below a comment of the bundler with its name: `// src/worker/emit.ts`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { packageFolder } from "../../package-files.ts";

interface Beginning {
  /** 1-based, of the comment. */
  readonly line: number;
  readonly module: string;
}

const heading = /^\/\/ src\/(\S+\.ts)$/;
/** In the order of lines, by the file's URL. */
const modulesOf = new Map<string, readonly Beginning[]>();

/** A module's path below `src/`: `worker/emit.ts`. `line` is 1-based. */
export function ownModule(url: string, line: number): string {
  const path = url.slice(packageFolder.length);
  if (path.endsWith(".ts")) return path;
  let modules = modulesOf.get(url);
  if (modules === undefined) modulesOf.set(url, (modules = readModules(url)));
  return modules.findLast((beginning) => beginning.line <= line)?.module ?? path;
}

function readModules(url: string): Beginning[] {
  const lines = readFileSync(fileURLToPath(url), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    const module = heading.exec(text)?.[1];
    return module === undefined ? [] : [{ line: index + 1, module }];
  });
}
