/**
 * Updates of a tag that wait for others, so that a thousand small ones are one decision: for a second at most, or until they fill a
 * record. Whoever asked waits until his is in the journal. One that is refused refuses nobody else's.
 */
import type { UrlText } from "../core/ddfs/events.ts";
import { partLength } from "./url-text.ts";

export interface DelayedParts {
  /** Records them as one update, the newest first, and resolves when it is in the journal. Throws at once where it cannot be recorded. */
  readonly record: (name: string, urls: UrlText, keys: readonly string[]) => Promise<void>;
  /** Throws where the URLs may not be added. */
  readonly assertAlive: (urls: UrlText) => void;
  readonly delayMs: number;
}

interface Waiting {
  readonly urls: UrlText;
  readonly key: string | undefined;
  readonly resolve: (done: Promise<void>) => void;
}

interface Buffer {
  /** The oldest first. */
  readonly waiting: Waiting[];
  length: number;
  readonly timer: NodeJS.Timeout;
}

export class DelayedUpdates {
  readonly #parts: DelayedParts;
  readonly #buffers = new Map<string, Buffer>();

  constructor(parts: DelayedParts) {
    this.#parts = parts;
  }

  add(name: string, urls: UrlText, key?: string): Promise<void> {
    let buffer = this.#buffers.get(name);
    // All of them are one part of a list at most.
    if (buffer !== undefined && buffer.length + urls.length >= partLength) {
      this.flush(name);
      buffer = undefined;
    }
    if (buffer === undefined) {
      const timer = setTimeout(() => this.flush(name), this.#parts.delayMs);
      this.#buffers.set(name, (buffer = { waiting: [], length: 0, timer }));
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    buffer.waiting.push({ urls, key, resolve });
    buffer.length += urls.length + 1;
    return promise;
  }

  /** Records what waits for the tag: as it was asked for before whatever comes now. */
  flush(name: string): void {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) return;
    this.#buffers.delete(name);
    clearTimeout(buffer.timer);
    const { record, assertAlive } = this.#parts;
    const taken = buffer.waiting.filter(({ urls, resolve }) => {
      try {
        assertAlive(urls);
        return true;
      } catch (error) {
        resolve(Promise.reject(error as Error));
        return false;
      }
    });
    if (taken.length === 0) return;
    const texts = taken.map(({ urls }) => urls).filter((urls) => urls !== "");
    const keys = taken.flatMap(({ key }) => key ?? []);
    let done: Promise<void>;
    try {
      done = record(name, texts.reverse().join("\n"), keys);
    } catch (error) {
      done = Promise.reject(error as Error);
    }
    for (const { resolve } of taken) resolve(done);
  }

  flushAll(): void {
    for (const name of [...this.#buffers.keys()]) this.flush(name);
  }
}
