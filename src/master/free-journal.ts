/**
 * A journal has one owner. When another live process owns that of the root, this one takes the next: `journal-2.sqlite` and so on.
 * Two scripts that run at once do not see each other's jobs in lists; their data lie side by side.
 */
import { join } from "node:path";
import { DiscoError } from "../errors.ts";
import type { LocalJournal } from "../journal/local.ts";
import { openSqliteJournal } from "../journal/sqlite.ts";
import { scriptsJournalName } from "./root-journals.ts";

const enginesMax = 64;

export interface FreeJournal {
  readonly journal: LocalJournal;
  /** That of every script that runs alone. */
  readonly isFirst: boolean;
}

/** @throws DiscoError `root-busy`, and what `openSqliteJournal` throws */
export function openFreeJournal(root: string): FreeJournal {
  for (let n = 1; n <= enginesMax; n++) {
    try {
      const journal = openSqliteJournal(join(root, n === 1 ? scriptsJournalName : `journal-${n}.sqlite`));
      return { journal, isFirst: n === 1 };
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "journal-busy") throw error;
    }
  }
  throw new DiscoError(`${enginesMax} engines run on ${root} already`, {
    code: "root-busy",
    hint: "Choose another root directory.",
  });
}
