/**
 * Room for a journal on a disk that the jobs have filled: a file of its size, given back to the file system when the journal
 * cannot grow. Without it the engine would stop with all its jobs at the moment when it has to note that one of them found
 * the disk full; and the next engine could not even note that those jobs are dead.
 */
import { rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** For the failures of a few hundred tasks, and for opening the journal again. */
export const reserveBytes = 2 ** 20;
/** The reserve is laid in again when there is more room than this many times its size. */
const plentyFactor = 4;

export class Reserve {
  readonly #file: string;
  #held = false;

  /** `file`: where it lies, on the disk of the journal. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Lays the reserve in, where there is plenty of room. Called often: it costs nothing while it is there. */
  fill(): void {
    if (this.#held) return;
    try {
      if (statSync(this.#file, { throwIfNoEntry: false })?.size !== reserveBytes) {
        const { bavail, bsize } = statfsSync(dirname(this.#file));
        if (bavail * bsize < plentyFactor * reserveBytes) return;
        writeFileSync(this.#file, new Uint8Array(reserveBytes), { mode: 0o600 });
      }
      this.#held = true;
    } catch {
      // Then there is none. What fills the disk is told by whoever cannot do without.
    }
  }

  /** Gives the room back. `false`: there was none. */
  release(): boolean {
    const held = statSync(this.#file, { throwIfNoEntry: false }) !== undefined;
    this.#held = false;
    rmSync(this.#file, { force: true });
    return held;
  }
}
