/** Snapshots of a journal that answers later, behind the back of what goes on. */
import type { MasterMachine } from "../core/master.ts";
import { snapshotMaster } from "../core/snapshot.ts";
import type { CommitQueue } from "./commit-queue.ts";
import type { Journal } from "./journal.ts";
import { encodeSnapshot } from "./record.ts";

/** So many records stay when a snapshot covers them: other masters follow the journal, and are behind by some. */
const keptRecords = 10_000;

/** Saves the state after everything that is recorded by now, as soon as that is committed. Answers of which record it is. */
export async function saveSnapshotLater(
  journal: Journal,
  queue: CommitQueue,
  machine: MasterMachine,
): Promise<{ seq: number; bytes: number }> {
  const body = encodeSnapshot(snapshotMaster(machine));
  const at = await queue.boundary();
  await journal.saveSnapshot(at, body);
  await journal.trim(Math.max(1, at.seq + 1 - keptRecords));
  return { seq: at.seq, bytes: body.length };
}
