/**
 * Peak resident memory of this process and of each process that it starts, as the kernel counts it (`VmHWM`). Children are
 * looked up a few times a second, so of one that ends the last moments may be missing.
 */
import { readFileSync } from "node:fs";

const intervalMs = 50;

export class ProcessMemory implements Disposable {
  readonly #peaks = new Map<number, number>();
  readonly #timer = setInterval(() => this.#look(), intervalMs);

  /** Bytes, the largest first. */
  children(): number[] {
    this.#look();
    return [...this.#peaks.values()].sort((a, b) => b - a);
  }

  own(): number {
    return process.resourceUsage().maxRSS * 1024;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const pid of text(`/proc/self/task/${process.pid}/children`).split(" ")) {
      const peak = /^VmHWM:\s+(\d+) kB$/m.exec(text(`/proc/${pid}/status`))?.[1];
      if (peak !== undefined) this.#peaks.set(Number(pid), Number(peak) * 1024);
    }
  }
}

/** Empty when there is no such file: the process is gone, or this is not Linux. */
function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
