/** Readers by what a command line calls them: one of ours, or `FILE#NAME`, an export of a module. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import {
  bytesReader,
  chainReader,
  csvReader,
  jsonlReader,
  lineReader,
  netstrReader,
  objectReader,
} from "../../index.ts";

export type AnyReader = (stream: unknown, size: number, url: string, params: unknown) => unknown;

const ours: Readonly<Record<string, () => unknown>> = {
  bytesReader: () => bytesReader,
  chainReader: () => chainReader,
  csvReader: () => csvReader(),
  jsonlReader: () => jsonlReader,
  lineReader: () => lineReader(),
  netstrReader: () => netstrReader,
  objectReader: () => objectReader,
};

/** @throws DiscoError `bad-argument`, `no-such-file` */
export async function readerOf(text: string): Promise<AnyReader> {
  const own = Object.hasOwn(ours, text) ? ours[text] : undefined;
  if (own !== undefined) return own() as AnyReader;
  const [, file = "", name = "default"] = /^([^#]+\.[cm]?[jt]s)(?:#(.+))?$/.exec(text) ?? [];
  if (file === "") throw unknownReader(text);
  if (!existsSync(file)) {
    throw new DiscoError(`no such file: ${file}`, {
      code: "no-such-file",
      hint: `It was looked for at ${resolve(file)}.`,
    });
  }
  const module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const found = module[name];
  if (typeof found === "function") return found as AnyReader;
  throw new DiscoError(`${file} exports no function ${name}`, {
    code: "bad-argument",
    hint: `It exports ${Object.keys(module).join(", ") || "nothing"}.`,
  });
}

function unknownReader(text: string): DiscoError {
  const names = Object.keys(ours);
  const meant = nearestName(text, names);
  return new DiscoError(`there is no reader ${text}`, {
    code: "bad-argument",
    hint: meant === undefined ? `There are ${names.join(", ")}, or FILE.ts#NAME.` : `Did you mean ${meant}?`,
  });
}
