/** Where the records of jobs lie, and what is in them: `disco results`, `mapresults`, `deref`, `cat`. */
import type { Disco } from "../../client/disco.ts";
import type { JobInfo } from "../../client/master-api.ts";
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
  options: StoreOptions & { readonly format?: OutputFormat; readonly head?: number },
): Promise<void> {
  const asked = options.json === true ? "jsonl" : options.format;
  const { head } = options;
  if (asked === "raw" && head !== undefined) throw countless(head);
  await withDisco(options, async (disco) => {
    const { writeRecords } = await import("../print/write-records.ts");
    const sources: { readonly results: string[]; readonly format: OutputFormat }[] = [];
    for (const word of words) {
      const { results, worker } = await sourceOf(disco, word);
      // What a worker of the job's own has written nobody else knows to read.
      const format = asked ?? (worker === undefined ? "tsv" : "raw");
      const last = sources.at(-1);
      if (last?.format === format) last.results.push(...results);
      else sources.push({ results: [...results], format });
    }
    if (head !== undefined && sources.some(({ format }) => format === "raw")) throw countless(head);
    // Where records are counted, all are of one source.
    for (const { results, format } of sources) await writeRecords(results, "-", format, head);
  });
}

async function sourceOf(disco: Disco, word: string): Promise<{ results: readonly string[]; worker?: string }> {
  if (/^\w+:\/\//.test(word)) return { results: [word] };
  return readyJob(disco, await resolveName(disco, word));
}

function countless(head: number): DiscoError {
  return new DiscoError(`--head ${head} counts records, and results as they are (--format raw) have none`, {
    code: "bad-argument",
    hint: "Leave it out: disco cat NAME | head.",
  });
}

async function resultsOf(disco: Disco, name: string): Promise<readonly string[]> {
  return (await readyJob(disco, name)).results;
}

async function readyJob(disco: Disco, name: string): Promise<JobInfo> {
  const info = await disco.jobinfo(name);
  if (info.status === "ready") return info;
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
