/**
 * A block of lines at the bottom of a terminal that is redrawn in place, below everything that is printed meanwhile.
 *
 * The writes of standard output and standard error go through here as long as the block is shown:
 *
 * S1  what is written arrives unchanged and in order, above the block;
 * S2  the block is drawn only where the last write ended in a new line: a line that is not complete yet (`dots...`, a
 *     prompt) stays as it is, and the block comes back after its end;
 * S3  it is drawn at most ten times a second, whatever is printed;
 * S4  after `close()` the streams are as they were, and no escape sequence follows.
 *
 * Only a stream that is this terminal can damage the block: one that goes to a file is left alone.
 */
const redrawMs = 100;

type Write = NodeJS.WriteStream["write"];

/** The parts of a terminal stream that are needed, so that tests can bring their own. */
export interface TerminalStream {
  write: Write;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export class Screen {
  readonly #terminal: TerminalStream;
  readonly #draw: (columns: number) => readonly string[];
  readonly #raw: (text: string) => void;
  readonly #restore: (() => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #drawn = 0;
  #drawnAt = 0;
  #midLine = false;
  #closed = false;

  /** `draw` gives the block's lines, none longer than `columns`. `streams` are those whose writes share the terminal. */
  constructor(
    terminal: TerminalStream,
    streams: readonly TerminalStream[],
    draw: (columns: number) => readonly string[],
  ) {
    this.#terminal = terminal;
    this.#draw = draw;
    const write = terminal.write;
    this.#raw = (text) => void write.call(terminal, text);
    for (const stream of streams) if (stream.isTTY === true) this.#wrap(stream);
    this.#timer = setInterval(() => this.redraw(), redrawMs);
    this.#timer.unref();
  }

  redraw(): void {
    if (this.#closed || this.#midLine) return;
    // One column stays free: a terminal that wraps at the edge would make two lines of one.
    const lines = this.#draw((this.#terminal.columns ?? 80) - 1);
    this.#raw(this.#erasure() + lines.map((line) => `${line}\n`).join(""));
    this.#drawn = lines.length;
    this.#drawnAt = performance.now();
  }

  /** Leaves the block's last state on the screen. */
  close(): void {
    if (this.#closed) return;
    this.redraw();
    this.#closed = true;
    clearInterval(this.#timer);
    for (const restore of this.#restore) restore();
  }

  #wrap(stream: TerminalStream): void {
    const original = stream.write;
    const wrapped = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      this.#raw(this.#erasure());
      this.#drawn = 0;
      const flushed = Reflect.apply(original, stream, [chunk, ...rest]) as boolean;
      if (chunk.length > 0) this.#midLine = chunk[chunk.length - 1] !== (typeof chunk === "string" ? "\n" : 10);
      if (performance.now() - this.#drawnAt >= redrawMs) this.redraw();
      return flushed;
    }) as Write;
    stream.write = wrapped;
    this.#restore.push(() => {
      if (stream.write === wrapped) stream.write = original;
    });
  }

  #erasure(): string {
    return this.#drawn === 0 ? "" : `\x1b[${this.#drawn}A\r\x1b[0J`;
  }
}
