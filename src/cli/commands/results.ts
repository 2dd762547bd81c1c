/** Where the records of jobs lie, and what is in them: `disco results`, `mapresults`, `deref`, `cat`. */
import type { Disco } from "../../client/disco.ts";
import { parseDir } from "../../client/result-addresses.ts";
import { DiscoError } from "../../errors.ts";
import type { OutputFormat } from "../print/record-text.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function printResults(word: string, options: StoreOptions & { readonly stage?: string }): Promise<void> {
  const urls = await withDisco(options, async (disco) => {
    const name = await resolveName(disco, word);
    if (options.stage === undefined) return resultsOf(disco, name);
    return (await disco.master()).stageResults(name, options.stage);
  });
  print(urls, options);
}

export async function printMapResults(word: string, options: StoreOptions): Promise<void> {
  print(await withDisco(options, async (disco) => disco.mapresults(await resolveName(disco, word))), options);
}

/** What an index of results lists; an address that is none stands for itself. */
export async function printDeref(urls: readonly string[], options: StoreOptions): Promise<void> {
  const words = urls.length > 0 ? urls : await linesOfInput();
  const files = await withDisco(options, async () => {
    const lists: { readonly url: string; readonly files: readonly string[] }[] = [];
    for (const url of words) lists.push({ url, files: url.startsWith("dir://") ? await parseDir(url) : [url] });
    return lists;
  });
  if (options.json === true) printJson(files);
  else printLines(files.flatMap((list) => list.files));
}

export async function catResults(
  words: readonly string[],
  options: StoreOptions & { readonly format: OutputFormat; readonly head?: number },
): Promise<void> {
  const format = options.json === true ? "jsonl" : options.format;
  if (format === "raw" && options.head !== undefined) {
    throw new DiscoError("--head counts records, and --format raw knows none", {
      code: "bad-argument",
      hint: "Leave one of them out.",
    });
  }
  await withDisco(options, async (disco) => {
    const { writeRecords } = await import("../print/write-records.ts");
    const results: string[] = [];
    for (const word of words) {
      if (/^\w+:\/\//.test(word)) results.push(word);
      else results.push(...(await resultsOf(disco, await resolveName(disco, word))));
    }
    await writeRecords(results, "-", format, options.head);
  });
}

async function resultsOf(disco: Disco, name: string): Promise<readonly string[]> {
  const info = await disco.jobinfo(name);
  if (info.status === "ready") return info.results;
  throw new DiscoError(`${info.name} has no results: it is ${info.status}`, {
    code: "no-results",
    job: info.name,
    hint:
      info.status === "active" ? `\`disco wait ${info.name}\` waits for it.` : `\`disco job ${info.name}\` says why.`,
  });
}

function print(urls: readonly string[], { json }: StoreOptions): void {
  if (json === true) printJson(urls);
  else printLines(urls);
}

/** Addresses from a pipe, one a line, as Disco's commands take them. */
async function linesOfInput(): Promise<string[]> {
  if (process.stdin.isTTY) {
    throw new DiscoError("no address was given", { code: "bad-argument", hint: "disco results NAME prints some." });
  }
  let text = "";
  for await (const part of process.stdin.setEncoding("utf8")) text += String(part);
  return text.split(/\s+/).filter((line) => line !== "");
}
