/** The record by which a master takes over: whoever gets it in has the next epoch. */
import type { MasterStarted } from "../core/events.ts";
import type { Patience } from "./append.ts";
import { appendSurely } from "./append.ts";
import type { Fold } from "./fold.ts";
import type { Journal } from "./journal.ts";
import { encodeRecord } from "./record.ts";

export interface FirstRecord {
  readonly writer: string;
  readonly nonce: string;
  readonly started: MasterStarted;
}

/** Appends it after what was folded, and folds it. Returns its bytes; `null`: another master was faster. */
export async function appendFirst(
  journal: Journal,
  fold: Fold,
  { writer, nonce, started }: FirstRecord,
  patience: Patience,
): Promise<number | null> {
  const { seq, hash } = fold.head;
  const body = encodeRecord({ seq: seq + 1, prevHash: hash, epoch: started.epoch, writer, nonce, events: [started] });
  const outcome = await appendSurely(journal, { after: seq, body, writer, nonce }, patience);
  if (outcome.kind === "taken" || fold.head.seq > outcome.seq) return null;
  // Whoever follows may have met the record before its append was answered.
  if (fold.head.seq < outcome.seq) fold.take(outcome, [started]);
  return body.length;
}
