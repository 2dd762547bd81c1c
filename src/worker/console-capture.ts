/**
 * What a task prints becomes events of the job: `console.*` and writes to stdout and stderr, line by line. A bucket of tokens
 * limits the rate; what is over it is counted and dropped, before it is even formatted, and one line says how much.
 */
import { Console } from "node:console";
import type { EventLevel } from "../protocol/messages.ts";

const burstLines = 200;
const linesPerSecond = 50;
const lineCharsMax = 8 * 1024;

export type SendLine = (level: EventLevel, text: string) => void;

type Write = typeof process.stdout.write;
type ConsoleMethod = (...args: unknown[]) => void;

const levels: Readonly<Record<string, EventLevel>> = {
  debug: "debug",
  info: "info",
  log: "message",
  warn: "warning",
  error: "error",
  trace: "warning",
};

export class LineLimiter {
  readonly #send: SendLine;
  readonly #now: () => number;
  #tokens = burstLines;
  #filledAt: number;
  #dropped = 0;

  /** `now` in milliseconds. */
  constructor(send: SendLine, now: () => number) {
    this.#send = send;
    this.#now = now;
    this.#filledAt = now();
  }

  /** Takes a token; counts a dropped line when there is none. */
  admit(): boolean {
    const now = this.#now();
    this.#tokens = Math.min(burstLines, this.#tokens + ((now - this.#filledAt) / 1000) * linesPerSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#dropped++;
      return false;
    }
    this.#tokens--;
    return true;
  }

  /** Gives back a token that was only asked for. */
  refund(): void {
    this.#tokens++;
  }

  send(level: EventLevel, line: string): void {
    if (this.#dropped > 0) this.reportDropped();
    this.#send(
      level,
      line.length > lineCharsMax ? `${line.slice(0, lineCharsMax)}… (${line.length} characters)` : line,
    );
  }

  reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#send("warning", `${this.#dropped} messages dropped`);
    this.#dropped = 0;
  }
}

/** Made once a process; captures from `begin` to `end`. */
export class ConsoleCapture {
  #send: SendLine = () => {};
  readonly #limiter = new LineLimiter(
    (level, text) => this.#send(level, text),
    () => performance.now(),
  );
  readonly #out = new LineSplitter("message", this.#limiter);
  readonly #err = new LineSplitter("warning", this.#limiter);
  readonly #console = globalThis.console;
  readonly #taskConsole = taskConsole(this.#out, this.#err, this.#limiter, this.#console);
  readonly #writeOut = process.stdout.write;
  readonly #writeErr = process.stderr.write;
  readonly #taskWriteOut = writer(this.#out);
  readonly #taskWriteErr = writer(this.#err);

  begin(send: SendLine): void {
    this.#send = send;
    process.stdout.write = this.#taskWriteOut;
    process.stderr.write = this.#taskWriteErr;
    globalThis.console = this.#taskConsole;
  }

  end(): void {
    globalThis.console = this.#console;
    process.stdout.write = this.#writeOut;
    process.stderr.write = this.#writeErr;
    this.#out.end();
    this.#err.end();
    this.#limiter.reportDropped();
  }
}

class LineSplitter {
  level: EventLevel;
  readonly #limiter: LineLimiter;
  #partial = "";

  constructor(level: EventLevel, limiter: LineLimiter) {
    this.level = level;
    this.#limiter = limiter;
  }

  write(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = (lines.pop() as string).slice(0, lineCharsMax);
    for (const line of lines) if (this.#limiter.admit()) this.#limiter.send(this.level, line);
  }

  end(): void {
    if (this.#partial !== "") this.write("\n");
  }
}

function writer(splitter: LineSplitter): Write {
  return ((chunk: Uint8Array | string, encoding?: unknown, callback?: unknown) => {
    splitter.write(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done as () => void);
    return true;
  }) as Write;
}

/** A console of Node's own (tables, groups, timers …) over our lines, each method at its level. */
function taskConsole(out: LineSplitter, err: LineSplitter, limiter: LineLimiter, real: Console): Console {
  const sink = (splitter: LineSplitter): NodeJS.WritableStream =>
    ({
      write: (text: string) => {
        splitter.write(text);
        return true;
      },
      on: () => {},
      once: () => {},
      removeListener: () => {},
      listenerCount: () => 0,
    }) as unknown as NodeJS.WritableStream;
  const base = new Console({ stdout: sink(out), stderr: sink(err), colorMode: false });
  const captured = Object.create(real, Object.getOwnPropertyDescriptors(base)) as Console &
    Record<string, ConsoleMethod>;
  for (const [name, level] of Object.entries(levels)) {
    const method = (base as unknown as Record<string, ConsoleMethod>)[name] as ConsoleMethod;
    captured[name] = (...args) => {
      // Without a token the arguments are not even formatted; the splitter takes the tokens of what is.
      if (!limiter.admit()) return;
      limiter.refund();
      const splitter = name === "warn" || name === "error" || name === "trace" ? err : out;
      const before = splitter.level;
      splitter.level = level;
      method(...args);
      splitter.level = before;
    };
  }
  return captured;
}
