/**
 * Tables of jobs, nodes and tasks: a line of titles, and columns as wide as their widest cell. On a terminal the one column
 * that may shrink is cut until a line fits; elsewhere nothing is cut, because what reads it may be a program.
 */
import type { Look, Style } from "../progress/look.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Cut first where a terminal is too narrow. At most one. */
  readonly shrinks?: boolean;
}

export type Cell = string | { readonly text: string; readonly style: Style };

/** Cells between which a line is still readable; a column that shrinks keeps so many characters. */
const shrunkCharactersMin = 12;
const gap = "  ";

/** `width`: characters a line; `Infinity` cuts nothing. */
export function formatColumns(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  look: Look,
): string[] {
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => textOf(row[at]).length)));
  const shrinking = columns.findIndex(({ shrinks }) => shrinks === true);
  if (shrinking >= 0) {
    const over = widths.reduce((sum, one) => sum + one, 0) + gap.length * (columns.length - 1) - width;
    if (over > 0) widths[shrinking] = Math.max(shrunkCharactersMin, (widths[shrinking] ?? 0) - over);
  }
  const line = (cells: readonly Cell[]): string =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? "";
        const text = cut(textOf(cell), widths[at] ?? 0, look);
        const space = " ".repeat((widths[at] ?? 0) - text.length);
        const painted = typeof cell === "string" ? text : look.paint(cell.style, text);
        return align === "right" ? space + painted : painted + space;
      })
      .join(gap)
      .trimEnd();
  return [line(columns.map(({ title }) => ({ text: title, style: "dim" }))), ...rows.map(line)];
}

/** Characters of a line of `stream`, for `formatColumns`. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns : Number.POSITIVE_INFINITY;
}

function textOf(cell: Cell | undefined): string {
  return cell === undefined ? "" : typeof cell === "string" ? cell : cell.text;
}

function cut(text: string, length: number, look: Look): string {
  if (text.length <= length) return text;
  const mark = look.unicode ? "…" : "~";
  return `${text.slice(0, length - 1)}${mark}`;
}
