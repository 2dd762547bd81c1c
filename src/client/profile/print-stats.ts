/** The table that `printStats` prints. */
import { relative } from "node:path";
import { badOption } from "../bad-option.ts";
import { shown } from "../option-checks.ts";
import type { ProfiledFunction } from "./functions.ts";

export interface PrintStatsOptions {
  /** By the time in a function itself, or by that with all that it called. Default: `self`. */
  readonly sort?: "self" | "total";
  /** Lines of the table. Default: 20. */
  readonly limit?: number;
  /** Where it is printed. Default: standard output. */
  readonly stream?: { write(text: string): unknown };
}

export const limitDefault = 20;

/** @throws JobError `bad-option` */
export function checkPrintOptions({ sort, limit }: PrintStatsOptions): void {
  if (sort !== undefined && sort !== "self" && sort !== "total") {
    throw badOption(`sort: "self" or "total" was expected, not ${shown(sort)}`);
  }
  if (limit !== undefined && !(limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && limit >= 0))) {
    throw badOption(`limit: a number of lines was expected, not ${shown(limit)}`);
  }
}

/** The costliest first; equal ones by name, so that the order is always the same. */
export function sorted(functions: readonly ProfiledFunction[], by: "self" | "total"): ProfiledFunction[] {
  const cost = (fn: ProfiledFunction): number => (by === "self" ? fn.selfMs : fn.totalMs);
  return functions.toSorted((a, b) => cost(b) - cost(a) || (a.name < b.name ? -1 : 1));
}

export function formatFunctions(functions: readonly ProfiledFunction[], limit: number): string[] {
  const shownRows = functions.slice(0, limit);
  const rows = shownRows.map((fn) => [
    duration(fn.selfMs),
    percent(fn.selfShare),
    duration(fn.totalMs),
    percent(fn.totalShare),
    fn.name,
    fn.file === null ? "" : `${shortPath(fn.file)}:${fn.line}`,
  ]);
  const head = ["self", "", "total", "", "function", ""];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, i) => (i < 4 ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd(),
  );
  const rest = functions.length - shownRows.length;
  return rest > 0 ? [...lines, `… ${rest.toLocaleString("en-US")} more`] : lines;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(2)} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** As one would type it here. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return /^\w+:/.test(file) || path.startsWith("..") ? file : path;
}
