/**
 * Says why a job does not move. Tasks wait a moment in every job, so that only a reason that holds for some seconds, while
 * nothing runs, is worth a line; and it is worth only one.
 */
import type { JobInfo } from "../../client/master-api.ts";

const noticeAfterMs = 3000;

export class WaitNotice {
  readonly #print: (line: string) => void;
  readonly #afterMs: number;
  #timer: NodeJS.Timeout | null = null;
  #latest: JobInfo | null = null;
  #said = "";

  constructor(print: (line: string) => void, afterMs: number = noticeAfterMs) {
    this.#print = print;
    this.#afterMs = afterMs;
  }

  update(info: JobInfo): void {
    this.#latest = info;
    const stands =
      info.status === "active" && info.waits.length > 0 && info.stages.every(({ running }) => running === 0);
    if (!stands) {
      this.close();
      return;
    }
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#say(), this.#afterMs);
    this.#timer.unref();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #say(): void {
    this.#timer = null;
    if (this.#latest === null) return;
    const line = `${this.#latest.name} waits: ${this.#latest.waits.join("; ")}`;
    if (line !== this.#said) this.#print(line);
    this.#said = line;
  }
}
