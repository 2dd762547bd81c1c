/**
 * A journal that was there cannot be empty later. An engine that was wiped, or set up anew, looks like a new cluster: a master would begin
 * one, and nodes would be told that nobody needs what they store. So each master keeps on its own disk which epoch of its cluster it has
 * seen, and does not start on an empty journal after that. A journal that is only older, as a backup is, is taken.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiscoError } from "../errors.ts";

const fileName = "_journal.json";
const privateMode = 0o600;

export class KnownJournal {
  readonly #file: string;
  readonly #cluster: string;

  constructor(dataDir: string, cluster: string) {
    this.#file = join(dataDir, fileName);
    this.#cluster = cluster;
  }

  /** `epoch`: of the journal that was read; 0: it is empty. @throws DiscoError `journal-gone` */
  check(epoch: number): void {
    const seen = this.#seen();
    if (epoch > 0) this.note(epoch);
    else if (seen > 0) {
      throw new DiscoError(
        `the journal of cluster ${this.#cluster} is empty, and this master has seen it before (epoch ${seen})`,
        {
          code: "journal-gone",
          hint: `Restore the engine's data, or its backup, before masters start. To begin anew, without the jobs and results that nodes have, remove ${this.#file}.`,
        },
      );
    }
  }

  /** From now on this one is expected. */
  note(epoch: number): void {
    const seen = this.#known();
    const text = JSON.stringify({ ...seen, [this.#cluster]: epoch });
    writeFileSync(`${this.#file}.new`, text, { mode: privateMode });
    renameSync(`${this.#file}.new`, this.#file);
  }

  #seen(): number {
    const epoch = this.#known()[this.#cluster];
    return typeof epoch === "number" ? epoch : 0;
  }

  /** By cluster. What cannot be read says nothing. */
  #known(): Readonly<Record<string, unknown>> {
    try {
      const known: unknown = JSON.parse(readFileSync(this.#file, "utf8"));
      return typeof known === "object" && known !== null ? { ...known } : {};
    } catch {
      return {};
    }
  }
}
