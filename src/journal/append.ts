/**
 * An append whose outcome is known, on a journal that answers late, or not at all.
 *
 *   committed ──▶ done
 *   conflict  ──▶ read back ─┬─ our writer and nonce ──▶ done (an earlier try got through)
 *   unknown   ──▶ wait ──▶ ──┼─ another record        ──▶ taken: somebody else leads
 *                            ├─ nothing there         ──▶ append the same bytes again
 *                            └─ ends before our last one ──▶ wait, append again; and after some seconds: lost
 *
 * A replica that led until a moment ago and does not know better answers for a while, of a journal that ends earlier. So a journal
 * is not called lost by one look.
 *
 * A try that was given up may still get through later. It is harmless: the bytes are the same, and at one place one record is
 * committed. While the engine is away this goes on for ever; whoever does not want to wait so long aborts the signal.
 */
import { CommError, DiscoError } from "../errors.ts";
import { isGap } from "./fold.ts";
import type { Appended, Head, Journal, StoredRecord } from "./journal.ts";
import { decodeRecord, hashOf } from "./record.ts";

export interface Append {
  /** Seq of the record before. */
  readonly after: number;
  readonly body: Uint8Array;
  readonly writer: string;
  readonly nonce: string;
}

export type Outcome =
  | ({ readonly kind: "committed" } & Head)
  /** Another record is in the place. */
  | { readonly kind: "taken" };

type Found = "ours" | "nothing" | "other" | "behind";

export interface Patience {
  readonly signal: AbortSignal;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
  /** The engine did not answer, or does again. */
  readonly away: (isAway: boolean) => void;
}

const pauseMsMin = 20;
const pauseMsMax = 500;
/** Looks, with pauses in between, at a journal that has fewer records than were acknowledged: some 8 s. */
const behindMax = 20;
/** Failures of an engine that pass: it has no room, or no leader. */
const passing = new Set(["comm-error", "disk-full", "journal-io"]);

/** @throws DiscoError what the journal throws and does not pass, `journal-lost`; `closed` when the signal is aborted */
export async function appendSurely(journal: Journal, append: Append, patience: Patience): Promise<Outcome> {
  const seq = append.after + 1;
  let behind = 0;
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    assertOpen(patience.signal);
    const answer = await passes(() => journal.append(append.after, append.body));
    assertOpen(patience.signal);
    if (answer?.kind === "committed") {
      patience.away(false);
      return answer;
    }
    // Who conflicts has answered: it is looked at once. Anything else gets a while to come to an end.
    let lookAtOnce = answer?.kind === "conflict";
    for (let found: Found | null = null; found === null; ) {
      if (!lookAtOnce) {
        patience.away(true);
        await patience.pause(pauseMs);
        assertOpen(patience.signal);
      }
      lookAtOnce = false;
      found = await passes(() => lookAt(journal, append, answer));
      assertOpen(patience.signal);
      if (found === "behind" && ++behind === behindMax) throw lost(append.after, answer);
      if (found === null || found === "nothing" || found === "behind") continue;
      patience.away(false);
      return found === "ours" ? { kind: "committed", seq, hash: hashOf(append.body) } : { kind: "taken" };
    }
    if (answer?.kind === "conflict") await patience.pause(pauseMs);
  }
}

/** `null`: it failed in a way that passes. */
async function passes<T>(act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof CommError || (error instanceof DiscoError && passing.has(error.code))) return null;
    throw error;
  }
}

async function lookAt(journal: Journal, { after, writer, nonce }: Append, answer: Appended | null): Promise<Found> {
  const seq = after + 1;
  const stored = await recordAt(journal, seq);
  if (stored === "trimmed") return "other";
  if (stored !== null) {
    const record = decodeRecord(seq, stored.body);
    return record.writer === writer && record.nonce === nonce ? "ours" : "other";
  }
  if (answer?.kind === "conflict" && answer.seq < after) return "behind";
  return "nothing";
}

function lost(after: number, answer: Appended | null): DiscoError {
  const end = answer?.kind === "conflict" ? answer.seq : 0;
  return new DiscoError(`the journal ends at record ${end}, but record ${after} was in it`, {
    code: "journal-lost",
    hint: "Its engine lost acknowledged records (power loss without fsync, a restored copy): start the master again.",
  });
}

async function recordAt(journal: Journal, seq: number): Promise<StoredRecord | "trimmed" | null> {
  try {
    for await (const stored of journal.read(seq)) return stored;
  } catch (error) {
    // A successor has gone so far that it took a snapshot of what came after.
    if (isGap(error) && ((await journal.snapshot())?.seq ?? 0) >= seq) return "trimmed";
    throw error;
  }
  return null;
}

function assertOpen(signal: AbortSignal): void {
  if (signal.aborted) throw new DiscoError("the engine is closed", { code: "closed" });
}
