/** Local paths and globs of `input`. Paths are relative to the working directory of the submitting process. */
import { type Stats, statSync } from "node:fs";
import { glob } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseFileUrl } from "../schemes/file.ts";
import { embeddedHost } from "./data-place.ts";
import { badInput } from "./replicas.ts";

const stdinHint =
  "Standard input can be read once, but a task may run again: write it to a file first, and give that file's path.";

export interface LocalFile {
  /** Absolute path, or a `file://` address where the path could be taken for something else. */
  readonly url: string;
  readonly size: number;
  readonly host: string;
}

/** Whether a path is a pattern, unless a file has just that name. */
export function isGlob(path: string): boolean {
  return /[*?{}[\]]/.test(path) && statSync(path, { throwIfNoEntry: false }) === undefined;
}

/** The file that an address names, or those that a glob matches, in order of their paths. */
export async function expandPath(address: string, place: string): Promise<LocalFile[]> {
  if (/^file:/i.test(address) || !isGlob(address)) return [localFile(address, place)];
  const files: LocalFile[] = [];
  for await (const path of glob(address)) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) files.push(described(resolve(path), found));
  }
  if (files.length === 0) {
    throw badInput(`${place}: no file matches ${address}`, `It was looked for in ${process.cwd()}.`, "no-such-file");
  }
  return files.sort((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0));
}

/** Throws `JobError` `no-such-file` or `bad-input`. */
export function localFile(address: string, place: string): LocalFile {
  const part = parseFileUrl(address);
  const path = resolve(part.path);
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw badInput(`${place}: ${address} cannot be read: ${(error as Error).message}`);
  }
  if (found === undefined) {
    const lookedFor = path === address ? "Check the path." : `It was looked for at ${path}.`;
    const hint = address === "-" ? stdinHint : lookedFor;
    throw badInput(`${place}: no such file: ${address}`, hint, "no-such-file");
  }
  if (found.isDirectory()) {
    throw badInput(`${place}: ${address} is a directory`, `Give its files: ${address.replace(/\/+$/, "")}/**`);
  }
  if (!found.isFile()) {
    throw badInput(
      `${place}: ${address} is not a regular file`,
      "Workers could not read it again after a failure: copy it first.",
    );
  }
  const file = described(path, found);
  if (part.from === 0 && part.to === null) return file;
  const to = part.to ?? found.size;
  return {
    ...file,
    url: `${file.url}#bytes=${part.from}-${to}`,
    size: Math.max(0, Math.min(to, found.size) - part.from),
  };
}

function described(path: string, { size }: Stats): LocalFile {
  const ambiguous = /#bytes=\d+-\d+$/.test(path);
  return { url: ambiguous ? pathToFileURL(path).href : path, size, host: embeddedHost };
}
