/**
 * What an external program writes to stderr. Lines that begin with `**<MSG>` are messages of the job, `**<ERR>` ends the job and
 * `**<DAT>` is a fault of the data: the task is tried on another node. Everything else is shown as a warning; its end is kept as
 * the program's last words, for the error should it fail.
 */
import { StringDecoder } from "node:string_decoder";

/** Of the last words. */
const keptChars = 2_000;
/** A line without an end is taken for one after so many characters. */
const lineCharsMax = 64 * 1024;

export interface LogSink {
  /** A message of the job. */
  message(text: string): void;
  /** A line that follows no form. */
  other(line: string): void;
  /** The program says that it failed. */
  failed(kind: "fatal" | "data", text: string): void;
}

export class LogLines {
  readonly #sink: LogSink;
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";
  #lastWords = "";

  constructor(sink: LogSink) {
    this.#sink = sink;
  }

  /** The end of what was written outside of messages. */
  get lastWords(): string {
    return this.#lastWords.trim().slice(-keptChars);
  }

  push(chunk: Buffer): void {
    const lines = (this.#partial + this.#decoder.write(chunk)).split("\n");
    this.#partial = lines.pop() as string;
    for (const line of lines) this.#take(line);
    if (this.#partial.length < lineCharsMax) return;
    this.#take(this.#partial);
    this.#partial = "";
  }

  end(): void {
    const rest = this.#partial + this.#decoder.end();
    this.#partial = "";
    if (rest !== "") this.#take(rest);
  }

  #take(line: string): void {
    const form = /^\*\*<(MSG|ERR|DAT)>/.exec(line)?.[1];
    const text = form === undefined ? line : line.slice(7).trim();
    if (form === "MSG") this.#sink.message(text);
    else if (form === "ERR") this.#sink.failed("fatal", text);
    else if (form === "DAT") this.#sink.failed("data", text);
    else {
      this.#lastWords = `${this.#lastWords}${line}\n`.slice(-2 * keptChars);
      this.#sink.other(line);
    }
  }
}
