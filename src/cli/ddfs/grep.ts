/**
 * `ddfs grep`: lines of blobs that match a regular expression; of blobs with records, records as `ddfs xcat` prints them. Several blobs are read
 * at once, and what is found comes in their order.
 */
import { inParallel } from "../../client/ddfs/in-parallel.ts";
import type { PulledBlob } from "../../client/ddfs/pulled-blob.ts";
import { DiscoError } from "../../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { printJson } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import type { ReachOptions } from "./blobs.ts";
import { contentsOf } from "./contents.ts";
import { type OpenDdfs, withDdfs } from "./open-ddfs.ts";
import { OrderedOutput } from "./ordered-output.ts";
import { recordLines } from "./record-lines.ts";
import { stoppable } from "./stoppable.ts";

export interface GrepOptions extends ReachOptions {
  readonly ignoreCase?: boolean;
  readonly invertMatch?: boolean;
  readonly count?: boolean;
  readonly filesWithMatches?: boolean;
  readonly lineNumber?: boolean;
  /** `false`: names of blobs are left out. */
  readonly filename: boolean;
  readonly concurrency?: number;
}

interface Match {
  readonly blob: string;
  readonly line: number;
  readonly text: string;
}

const defaultConcurrency = 4;

/** Exit status as grep's: 0 something matches, 1 nothing does. */
export async function grepBlobs(pattern: string, words: readonly string[], options: GrepOptions): Promise<number> {
  const regexp = regexpOf(pattern, options);
  return await stoppable((signal) =>
    withDdfs(options, async (ddfs) => {
      const blobs = await Array.fromAsync(contentsOf(ddfs, words, options, signal));
      const names = options.filename && (blobs.length > 1 || options.filesWithMatches === true);
      const output = new OrderedOutput(printed);
      const found: { blob: string; url: string; count: number; matches: Match[] }[] = [];
      const counts = await inParallel(
        blobs,
        options.concurrency ?? defaultConcurrency,
        signal,
        async (blob, i, stop) => {
          const report = { blob: blob.name, url: blob.urls[0] ?? "", count: 0, matches: [] as Match[] };
          found[i] = report;
          const part = output.part(i);
          try {
            for await (const matches of matchesIn(ddfs, blob, regexp, options, stop)) {
              report.count += matches.length;
              if (options.filesWithMatches === true) break;
              if (options.count === true) continue;
              if (options.json === true) report.matches.push(...matches);
              else await part.write(matches.map((match) => lineOf(match, names, options)).join(""));
            }
            if (options.json !== true) await part.write(summaryOf(report, names, options));
          } finally {
            await output.end(i);
          }
          return report.count;
        },
      );
      if (options.json === true) printJson(found.map((report) => documentOf(report, options)));
      return counts.some((count) => count > 0) ? exitCodes.ok : exitCodes.failed;
    }),
  );
}

async function* matchesIn(
  ddfs: OpenDdfs,
  blob: PulledBlob,
  regexp: RegExp,
  { invertMatch }: GrepOptions,
  signal: AbortSignal,
): AsyncGenerator<Match[]> {
  let line = 0;
  try {
    for await (const lines of recordLines(ddfs, blob, undefined, "tsv", signal)) {
      const matches: Match[] = [];
      for (const text of lines) {
        line++;
        if (regexp.test(text) !== (invertMatch === true)) matches.push({ blob: blob.name, line, text });
      }
      if (matches.length > 0) yield matches;
    }
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "not-text") throw error;
    process.stderr.write(`ddfs: ${blob.name} is not text: passed over\n`);
  }
}

function lineOf({ blob, line, text }: Match, names: boolean, { lineNumber }: GrepOptions): string {
  const look = lookOf(process.stdout);
  const place = [...(names ? [look.paint("magenta", blob)] : []), ...(lineNumber === true ? [`${line}`] : [])];
  return `${[...place, text].join(":")}\n`;
}

function summaryOf(
  { blob, count }: { readonly blob: string; readonly count: number },
  names: boolean,
  options: GrepOptions,
): string {
  if (options.filesWithMatches === true) return count > 0 ? `${blob}\n` : "";
  if (options.count !== true) return "";
  return names ? `${blob}:${count}\n` : `${count}\n`;
}

function documentOf(
  { blob, url, count, matches }: { blob: string; url: string; count: number; matches: Match[] },
  options: GrepOptions,
): object {
  const lines = matches.map(({ line, text }) => ({ line, text }));
  if (options.filesWithMatches === true) return { blob, url, matches: count > 0 };
  return options.count === true ? { blob, url, count } : { blob, url, count, lines };
}

function regexpOf(pattern: string, { ignoreCase }: GrepOptions): RegExp {
  try {
    return new RegExp(pattern, ignoreCase === true ? "iu" : "u");
  } catch (error) {
    throw new DiscoError(`${pattern} is not a regular expression: ${(error as Error).message}`, {
      code: "bad-argument",
      cause: error,
      hint: "They are those of JavaScript; a character that means something is written with a backslash before it.",
    });
  }
}

/** Waits where the reader of a pipe is slower. */
async function printed(text: string): Promise<void> {
  if (!process.stdout.write(text)) await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
}
