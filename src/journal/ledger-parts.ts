/** What a ledger is made of. */
import type { Command } from "../core/commands.ts";
import type { DiscoError } from "../errors.ts";
import type { FoldParts } from "./fold.ts";
import type { Journal } from "./journal.ts";

export interface LedgerParts extends FoldParts {
  readonly journal: Journal;
  /** Unique name of this process in the journal. */
  readonly writer: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Carries out commands whose events are in the journal. Must not throw. It may call `record`. */
  readonly carryOut: (commands: readonly Command[]) => void;
  /** The journal failed (LE2). Called once. */
  readonly failed?: (error: DiscoError) => void;
  /** Whether tasks may be assigned now. Default: always. */
  readonly mayAssign?: () => boolean;
  /**
   * Whether all that commands caused so far has its effect. What a snapshot covers is not replayed: one is taken only then, or when
   * that has been put off for long. Default: always.
   */
  readonly settled?: () => boolean;
  /** Runs a function at the end of the turn. Default `setImmediate`. */
  readonly defer?: (act: () => void) => void;
  /** Resolves after so many milliseconds. Default: of a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}
