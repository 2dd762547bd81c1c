/** `disco results NAME` and `disco cat NAME`. */
import { DiscoError } from "../../errors.ts";
import type { RecordFormat } from "../print/record-text.ts";
import { writeRecords } from "../print/write-records.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function printResults(name: string, options: StoreOptions): Promise<void> {
  for (const url of await resultsOf(name, options)) process.stdout.write(`${url}\n`);
}

export async function catResults(
  name: string,
  options: StoreOptions & { readonly format: RecordFormat },
): Promise<void> {
  await writeRecords(await resultsOf(name, options), "-", options.format);
}

async function resultsOf(name: string, options: StoreOptions): Promise<readonly string[]> {
  return withDisco(options, async (disco) => {
    const info = await disco.jobinfo(await resolveName(disco, name));
    if (info.status === "ready") return info.results;
    throw new DiscoError(`${info.name} has no results: it is ${info.status}`, {
      code: "no-results",
      job: info.name,
      hint: `\`disco job ${info.name}\` says why.`,
    });
  });
}
