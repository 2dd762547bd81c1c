/**
 * Watches the memory of a program and of all that it started, where the system tells (`/proc`).
 *
 * Members of the group are found by walking from parents to children: looking at every process of a busy machine would cost more than
 * the tasks. Those that were seen once are looked at as long as they are of the group, so that orphans count. What processes share
 * after a fork counts several times in a sum of resident sizes; before anybody is killed for it, each one's fair share is added up.
 */
import { readdirSync, readFileSync } from "node:fs";

const kibibyte = 1_024;

export interface MemoryWatchOptions {
  /** Leader of the group. */
  readonly pid: number;
  readonly limitBytes: number;
  readonly everyMs: number;
  /** Called once. */
  readonly over: (bytes: number) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #known: Set<number>;
  readonly #timer: NodeJS.Timeout;
  #peakBytes = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#known = new Set([options.pid]);
    this.#timer = setInterval(() => this.#look(), options.everyMs);
    this.#timer.unref();
  }

  /** At most, in bytes; 0 where the system does not tell. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Looks a last time. */
  stop(): void {
    clearInterval(this.#timer);
    const own = peakOf(this.#options.pid);
    if (own > this.#peakBytes) this.#peakBytes = own;
  }

  #look(): void {
    const { limitBytes, over } = this.#options;
    const bytes = this.#sum();
    if (bytes > this.#peakBytes) this.#peakBytes = bytes;
    if (bytes <= limitBytes || this.#fairSum() <= limitBytes) return;
    clearInterval(this.#timer);
    over(bytes);
  }

  #sum(): number {
    const { pid } = this.#options;
    const open = [...this.#known];
    let bytes = 0;
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      const status = textOf(`/proc/${each}/status`);
      const group = /^NSpgid:\s+(\d+)/m.exec(status)?.[1];
      if (each !== pid && group !== String(pid)) {
        this.#known.delete(each);
        continue;
      }
      bytes += kibibytesIn(status, /^VmRSS:\s+(\d+) kB$/m);
      for (const child of childrenOf(each)) {
        const id = Number(child);
        if (id === 0 || this.#known.has(id)) continue;
        this.#known.add(id);
        open.push(id);
      }
    }
    return bytes;
  }

  #fairSum(): number {
    let bytes = 0;
    for (const pid of this.#known) {
      const fair = kibibytesIn(textOf(`/proc/${pid}/smaps_rollup`), /^Pss:\s+(\d+) kB$/m);
      bytes += fair > 0 ? fair : kibibytesIn(textOf(`/proc/${pid}/status`), /^VmRSS:\s+(\d+) kB$/m);
    }
    return bytes;
  }
}

/** Of all threads: one that another thread started is only in its list. */
function childrenOf(pid: number): string[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) => textOf(`/proc/${pid}/task/${thread}/children`).split(" "));
  } catch {
    return [];
  }
}

function peakOf(pid: number): number {
  return kibibytesIn(textOf(`/proc/${pid}/status`), /^VmHWM:\s+(\d+) kB$/m);
}

function kibibytesIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0) * kibibyte;
}

/** Empty: it is gone, or the system has no such thing. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
