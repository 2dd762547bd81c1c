/** From a call tree to a table by function. */
import { fileURLToPath } from "node:url";
import type { CallTree, Frame } from "../../worker/profile/call-tree.ts";
import { attribute, type Origin } from "./disco-parts.ts";

/** A line of the table: a function of the user's, or what Disco, Node or V8 did. */
export interface ProfiledFunction {
  /** `(disco) sort`, `(garbage collector)` and the like, where it is not the user's. */
  readonly name: string;
  readonly origin: Origin;
  /** Path, or URL of what is no file; `null` where it is not the user's. */
  readonly file: string | null;
  /** Where the function begins, 1-based; `null` where `file` is. */
  readonly line: number | null;
  readonly column: number | null;
  /** In the function itself, in milliseconds. */
  readonly selfMs: number;
  /** In it and in all that it called; recursion is counted once. */
  readonly totalMs: number;
  /** Parts of the whole recorded time, 0 to 1. */
  readonly selfShare: number;
  readonly totalShare: number;
  readonly samples: number;
  /** `selfMs` by line, the costliest first; empty where lines are not known. */
  readonly lines: readonly { readonly line: number; readonly selfMs: number }[];
}

interface Row {
  readonly name: string;
  readonly origin: Origin;
  readonly frame: Frame | null;
  selfMicros: number;
  totalMicros: number;
  samples: number;
  readonly lines: Map<number, number>;
}

/** The functions of a tree, in no particular order. */
export function functionsOf(tree: CallTree): ProfiledFunction[] {
  const rows = new Map<string, Row>();
  const rowOf: Row[] = [];
  const totals = tree.totals();
  for (const [node, { origin, part }] of attribute(tree).entries()) {
    const frame = tree.frame(node);
    const key = part ?? `${frame.line}:${frame.column}:${frame.name}\n${frame.url}`;
    let row = rows.get(key);
    if (row === undefined) {
      const name = part ?? frame.name;
      row = {
        name,
        origin,
        frame: part === null ? frame : null,
        selfMicros: 0,
        totalMicros: 0,
        samples: 0,
        lines: new Map(),
      };
      rows.set(key, row);
    }
    rowOf.push(row);
    row.selfMicros += tree.selfMicros[node] as number;
    row.samples += tree.samples[node] as number;
    if (!isCalledBy(row, tree.parents[node] as number, tree, rowOf)) row.totalMicros += totals[node] as number;
    for (const [line, samples] of tree.lines[node] ?? []) row.lines.set(line, (row.lines.get(line) ?? 0) + samples);
  }
  rows.delete("(root)");
  const whole = totals[0] as number;
  return [...rows.values()].map((row) => profiled(row, whole));
}

function isCalledBy(row: Row, node: number, tree: CallTree, rowOf: readonly Row[]): boolean {
  for (let at = node; at >= 0; at = tree.parents[at] as number) if (rowOf[at] === row) return true;
  return false;
}

function profiled(
  { name, origin, frame, selfMicros, totalMicros, samples, lines }: Row,
  whole: number,
): ProfiledFunction {
  const counted = [...lines.values()].reduce((sum, count) => sum + count, 0);
  return {
    name,
    origin,
    file: frame === null ? null : pathOf(frame.url),
    line: frame === null ? null : frame.line,
    column: frame === null ? null : frame.column,
    selfMs: selfMicros / 1000,
    totalMs: totalMicros / 1000,
    selfShare: whole === 0 ? 0 : selfMicros / whole,
    totalShare: whole === 0 ? 0 : totalMicros / whole,
    samples,
    lines: [...lines]
      .map(([line, count]) => ({ line, selfMs: (selfMicros / 1000) * (count / counted) }))
      .sort((a, b) => b.selfMs - a.selfMs || a.line - b.line),
  };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
