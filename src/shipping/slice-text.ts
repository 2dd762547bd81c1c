/**
 * Writes the text of a slice: the pieces that travel stand exactly where they stand in the executed text, everything else is
 * blank. What has to be added between two pieces (`;f0=`, `const `) goes where no position changes: at the end of a line that
 * has nothing after it, or into blanks that are wide enough. Only when two pieces share a line and leave no room is text
 * inserted, and `insertions` says so.
 */

export interface SlicePiece {
  readonly start: number;
  readonly end: number;
  /** Code directly before and after the piece. */
  readonly before: string;
  readonly after: string;
}

/** 1-based line, 0-based column, length: as in `ShippedModule.insertions`. */
export type Insertion = readonly [line: number, column: number, length: number];

export interface SliceText {
  readonly text: string;
  readonly insertions: readonly Insertion[];
}

/** `pieces` do not overlap. `head` comes before all of them, `tail` behind everything. */
export function sliceText(source: string, pieces: readonly SlicePiece[], head: string, tail: string): SliceText {
  const ordered = pieces.toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  const insertions: Insertion[] = [];
  let line = 1;
  let lineStart = 0;
  let from = 0;
  let glue = head;
  for (const piece of ordered) {
    glue += piece.before;
    const gap = blank(source.slice(from, piece.start));
    const firstEnd = gap.search(/[\n\r\u2028\u2029]/);
    for (const match of gap.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
      line += 1;
      lineStart = from + match.index + match[0].length;
    }
    if (firstEnd >= 0) parts.push(glue, gap.slice(firstEnd));
    else if (glue.length <= gap.length) parts.push(glue.padEnd(gap.length));
    else {
      parts.push(glue);
      insertions.push([line, piece.start - lineStart, glue.length - gap.length]);
    }
    const kept = source.slice(piece.start, piece.end);
    for (const match of kept.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) {
      line += 1;
      lineStart = piece.start + match.index + match[0].length;
    }
    parts.push(kept);
    from = piece.end;
    glue = piece.after;
  }
  parts.push(glue, "\n", tail, "\n");
  return { text: parts.join(""), insertions };
}

/** Spaces for all but line ends and tabs. */
function blank(text: string): string {
  return text.replace(/[^\n\r\u2028\u2029\t]/g, " ");
}
