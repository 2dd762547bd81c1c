/** What the licences of packages ask for that are put into our own files: that their texts come along. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The licences of packages, one after the other, as their authors wrote them. */
export function licensesOf(root: string, packages: Iterable<string>): string {
  return [...packages].map((name) => licenseOf(join(root, "node_modules", name), name)).join("\n\n");
}

function licenseOf(directory: string, name: string): string {
  const { version, main } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
    readonly version: string;
    readonly main: string;
  };
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  // Where it has no file of its own it is the comment at the head of the code.
  const text =
    file === undefined
      ? /^\/\*([^]*?Copyright[^]*?)\*\//.exec(readFileSync(join(directory, main), "utf8"))?.[1]
      : readFileSync(join(directory, file), "utf8");
  if (text === undefined) throw new Error(`bundle: ${name} has no licence that could come along`);
  return `${name} ${version}\n\n${text.trim()}\n`;
}
