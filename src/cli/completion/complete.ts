/**
 * `disco __complete -- WORDS…`, or `ddfs __complete`, which the shells' scripts call at a key press. `WORDS`: all after the program's
 * name up to the cursor; the last one may be empty. Prints a candidate a line, `VALUE TAB DESCRIPTION`, and `:files ENDING…` where
 * names of files are to be added.
 */
import type { Command } from "commander";
import { type Completion, candidatesAt } from "./candidates.ts";
import { placeOf } from "./place.ts";

export async function complete(words: readonly string[], program: Command): Promise<void> {
  const { nameSources } = await import("./name-sources.ts");
  const place = placeOf(program, words.length === 0 ? [""] : words);
  const { master, root, config } = place.given;
  const names = nameSources({
    ...(master === undefined ? {} : { master }),
    ...(root === undefined ? {} : { root }),
    ...(config === undefined ? {} : { config }),
  });
  process.stdout.write(formatCompletion(await candidatesAt(place, names)));
}

/** A description is cut at its first line: the shells show it beside the value. */
export function formatCompletion({ candidates, files }: Completion): string {
  const lines = candidates.map(({ value, description }) => {
    const [first = ""] = description.replaceAll("\t", " ").split("\n");
    return first === "" ? value : `${value}\t${first}`;
  });
  if (files !== null) lines.push([":files", ...files].join(" "));
  return lines.map((line) => `${line}\n`).join("");
}
