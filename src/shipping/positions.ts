/** Offsets in a text <-> lines and columns, with the line ends that V8 knows (LF, CR LF, CR, U+2028, U+2029). */

export interface Position {
  /** 0-based, as in V8. */
  readonly line: number;
  /** 0-based, in UTF-16 units. */
  readonly column: number;
}

const lineEnd = /\r\n|[\n\r\u2028\u2029]/g;

export class Positions {
  readonly #starts: number[] = [0];

  constructor(text: string) {
    for (const match of text.matchAll(lineEnd)) this.#starts.push(match.index + match[0].length);
  }

  /** -1 when there is no such line. */
  offsetOf(position: Position): number {
    const start = this.#starts[position.line];
    return start === undefined ? -1 : start + position.column;
  }

  at(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: offset - (this.#starts[low] as number) };
  }
}
