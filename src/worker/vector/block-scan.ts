/** The kernel of each built-in map. */
import type { OwnRecipe } from "../own.ts";
import { fieldScan } from "./field-scan.ts";
import { grepScan } from "./grep-scan.ts";
import { scanLines } from "./line-scan.ts";
import type { TextSink } from "./text-sink.ts";
import { scanWords } from "./word-scan.ts";

/** Finds texts in a block of whole lines. Returns the number of line feeds in it. */
export type BlockScan = (block: Uint8Array, sink: TextSink) => number;

/** `null`: there is none for this function, or with these arguments. */
export function blockScan({ name, args = [] }: OwnRecipe): BlockScan | null {
  switch (name) {
    case "words":
      return scanWords;
    case "lines":
      return scanLines;
    case "field":
      return fieldScan(args[0] as number, (args[1] as { separator?: string } | undefined)?.separator);
    case "grep":
      return grepScan(args[0] as RegExp | string);
    default:
      return null;
  }
}
