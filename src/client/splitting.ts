/** Whether large files are read in parts. */
import { parameters } from "../worker/signature.ts";
import { mapLineReader } from "../worker/streams/lines.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { hasDefaultReader } from "./plan.ts";

/**
 * `splitBytes` where parts of a file are as good as the whole. That takes a reader of lines, and no `init` that may read what stands
 * at the beginning, such as a header: in every other part it would take a line of data. An init that is meant for parts is
 * one without parameters, or with a first one named as unused (`_lines`), or goes with a `splitBytes` of the user's own.
 */
export function splitBytesFor(options: AnyJobOptions, splitBytes: number): number {
  if (!hasDefaultReader(options) && options.mapReader !== mapLineReader) return 0;
  const init = options.pipeline === undefined ? options.mapInit : options.pipeline[0]?.init;
  if (init === undefined || options.splitBytes !== undefined) return splitBytes;
  const input = parameters(init)[0];
  return input === undefined || input.startsWith("_") ? splitBytes : 0;
}
