/** A few source lines around a position, with a marker, as plain text. */

export interface FramePosition {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
  /** How many characters to mark, 1 by default; never beyond the end of the line. */
  readonly length?: number;
}

const linesBefore = 2;
const linesAfter = 2;
/** Longer lines (minified code) are cut to a window around the marked column. */
const frameWidthMax = 140;

export function codeFrame(source: string, position: FramePosition): string {
  const lines = source.split(/\r\n|[\n\r\u2028\u2029]/);
  const marked = position.line - 1;
  if (marked < 0 || marked >= lines.length) return "";
  const from = Math.max(0, marked - linesBefore);
  const to = Math.min(lines.length, marked + linesAfter + 1);
  const digits = String(to).length;
  const cut =
    (lines[marked] as string).length > frameWidthMax ? Math.max(0, position.column - 1 - frameWidthMax / 2) : 0;
  const rows: string[] = [];
  for (let index = from; index < to; index += 1) {
    const text = window(lines[index] as string, cut);
    const isMarked = index === marked;
    rows.push(`${isMarked ? ">" : " "} ${String(index + 1).padStart(digits)} | ${text}`.trimEnd());
    if (!isMarked) continue;
    const column = Math.max(0, position.column - 1 - cut);
    // Tabs stay tabs, so that the marker stands below its character whatever the width of a tab.
    const indent = text.slice(0, column).replace(/[^\t]/g, " ").padEnd(column, " ");
    const length = Math.max(1, Math.min(position.length ?? 1, text.length - column));
    rows.push(`  ${" ".repeat(digits)} | ${indent}${"^".repeat(length)}`);
  }
  return rows.join("\n");
}

function window(line: string, cut: number): string {
  return line.slice(cut, cut + frameWidthMax);
}
