/**
 * How far something is that is no job: a line that is redrawn on a terminal; elsewhere nothing for the first two seconds, then a line every
 * two seconds, so that what is quick says nothing.
 */
import { barOf } from "../progress/bar.ts";
import { type Look, lookOf } from "../progress/look.ts";
import { formatBytes, formatCount, formatRate, formatRemaining } from "../progress/quantity.ts";
import { Screen } from "../progress/screen.ts";

export type Unit = "bytes" | "blobs" | "steps";

export interface Counter {
  readonly done: number;
  count(more: number): void;
  /** What is known of all there is to do; `null`: nothing. */
  total(total: number | null): void;
  /** What is done now. */
  at(done: number): void;
  close(): void;
}

export interface CounterOptions {
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const lineIntervalMs = 2000;
/** A rate of less time than this jumps. */
const rateAfterMs = 500;

export function openCounter(title: string, unit: Unit, options: CounterOptions = {}): Counter {
  const { stderr, stdout } = process;
  const reading = new Reading(title, unit);
  if (options.quiet === true || (options.json === true && !stderr.isTTY)) return countingOf(reading, () => {});
  if (stderr.isTTY && process.env["TERM"] !== "dumb") {
    const look = lookOf(stderr);
    const screen = new Screen(stderr, [stdout, stderr], (columns) => [reading.bar(columns, look)]);
    return countingOf(reading, () => screen.close());
  }
  const timer = setInterval(() => stderr.write(`${reading.line()}\n`), lineIntervalMs);
  timer.unref();
  return countingOf(reading, () => clearInterval(timer));
}

function countingOf(reading: Reading, close: () => void): Counter {
  return {
    get done() {
      return reading.done;
    },
    count: (more) => {
      reading.done += more;
    },
    total: (total) => {
      reading.total = total;
    },
    at: (done) => {
      reading.done = done;
    },
    close,
  };
}

class Reading {
  done = 0;
  total: number | null = null;
  readonly #title: string;
  readonly #unit: Unit;
  readonly #startedAt = performance.now();

  constructor(title: string, unit: Unit) {
    this.#title = title;
    this.#unit = unit;
  }

  line(): string {
    return [`${this.#title}:`, ...this.#parts()].join(" ");
  }

  bar(columns: number, look: Look): string {
    const fraction = this.#fraction();
    const tail = `  ${this.#parts().join("  ")}`;
    const head = `${this.#title}  `;
    const drawn = fraction === null ? "" : barOf(fraction, columns - head.length - tail.length, look);
    const line = drawn === "" ? head.trimEnd() + tail : head + drawn + tail;
    return drawn === "" ? line.slice(0, Math.max(0, columns)) : line;
  }

  #fraction(): number | null {
    return this.total === null || this.total === 0 ? null : Math.min(1, this.done / this.total);
  }

  #parts(): string[] {
    const { done, total } = this;
    const fraction = this.#fraction();
    const elapsedMs = performance.now() - this.#startedAt;
    const rate = elapsedMs < rateAfterMs ? 0 : done / (elapsedMs / 1000);
    const amount = this.#unit === "bytes" ? formatBytes(done) : `${formatCount(done)} ${this.#unit}`;
    const all =
      total === null || total === 0 ? "" : ` of ${this.#unit === "bytes" ? formatBytes(total) : formatCount(total)}`;
    return [
      ...(fraction === null ? [] : [`${Math.floor(fraction * 100)}%`]),
      amount + all,
      ...(this.#unit === "bytes" && rate > 0 ? [formatRate(rate)] : []),
      ...(fraction !== null && fraction < 1 && rate > 0 ? [formatRemaining(((total ?? 0) - done) / rate)] : []),
    ];
  }
}
