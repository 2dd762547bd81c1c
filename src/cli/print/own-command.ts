/**
 * How this command is called in the shell that started it, for lines that a person copies: `disco` where the shell finds it, else
 * `npx disco`, as in a clone, or in an app that has the package installed. npm, which also starts scripts, puts folders of its own in
 * front of PATH; the shell does not have them.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export function ownCommand(env: NodeJS.ProcessEnv = process.env): string {
  const isUnderNpm = env["npm_command"] !== undefined;
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  const ofShell = folders.filter((folder) => !isUnderNpm || !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(folder));
  return ofShell.some((folder) => isExecutable(join(folder, "disco"))) ? "disco" : "npx disco";
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
