/** `disco profile NAME`: where the time of a job went, as a table, as JSON, or as a file for Chrome and speedscope. */
import { printJson } from "../print/write-out.ts";
import { checkOutput, writeWhole } from "../run/output-place.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export interface ProfileOptions extends StoreOptions {
  /** Name of a stage; empty: all. */
  readonly mode: string;
  readonly sort: "self" | "total";
  /** Lines of the table; 0: all. */
  readonly limit: number;
  readonly output?: string;
}

export async function printProfile(word: string, options: ProfileOptions): Promise<void> {
  const { mode, sort, limit, output, json } = options;
  if (output !== undefined) await checkOutput(output);
  await withDisco(options, async (disco) => {
    const stats = await disco.profileStats(await resolveName(disco, word), mode);
    if (output !== undefined) {
      const text = `${JSON.stringify(stats.toCpuProfile())}\n`;
      if (output === "-") {
        process.stdout.write(text);
        return;
      }
      await writeWhole(output, text);
    }
    if (json === true) printJson(stats);
    else stats.printStats({ sort, limit: limit === 0 ? Number.POSITIVE_INFINITY : limit });
    if (output !== undefined) process.stderr.write(`written: ${output}, for Chrome's DevTools and speedscope\n`);
  });
}
