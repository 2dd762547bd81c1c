/** So many uploads at once, and so many more that wait for their turn: as the disks are what they share, more at once would only be slower. */

export class UploadGate {
  readonly #active: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #passed = 0;

  constructor({ active, waiting }: { readonly active: number; readonly waiting: number }) {
    this.#active = active;
    this.#waitingMax = waiting;
  }

  /** Resolves with what ends the turn; `null`: too many wait already, or the signal was given. */
  async enter(signal: AbortSignal): Promise<(() => void) | null> {
    if (this.#passed >= this.#active) {
      if (this.#waiting.length >= this.#waitingMax || !(await this.#turn(signal))) return null;
    } else this.#passed++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      // The turn is handed on.
      if (next === undefined) this.#passed--;
      else next();
    };
  }

  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const gone = (): void => {
        const at = this.#waiting.indexOf(begin);
        if (at >= 0) this.#waiting.splice(at, 1);
        resolve(false);
      };
      const begin = (): void => {
        signal.removeEventListener("abort", gone);
        resolve(true);
      };
      this.#waiting.push(begin);
      signal.addEventListener("abort", gone, { once: true });
    });
  }
}
