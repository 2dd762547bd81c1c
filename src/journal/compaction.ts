/**
 * When a snapshot takes the place of the records so far. It bounds the time that opening a journal takes; a big state is not
 * written out so often that the writing is felt.
 */

/** What may have to be replayed, in records: about half a second on a slow machine. */
const compactAfterRecords = 10_000;
/** So many events of a record cost as much as a record. */
const eventsPerRecord = 16;
/** One more record for so many bytes of the last snapshot. */
const snapshotBytesPerRecord = 4_096;
/** At the end one is taken when the last one is no bigger than so many bytes for each record since … */
const lastSnapshotBytesPerRecord = 512;
/** … and up to this size always: it costs less than opening a file. */
const smallSnapshotBytes = 256 * 1024;

/** What replaying a record costs, in records. */
export function replayCost(events: number): number {
  return 1 + events / eventsPerRecord;
}

/** What may be replayed, in records, before the next snapshot is due. */
export function recordsAfter(snapshotBytes: number): number {
  return Math.max(compactAfterRecords, Math.floor(snapshotBytes / snapshotBytesPerRecord));
}

/** Whether another snapshot at the end is worth its time. */
export function paysAtEnd(snapshotBytes: number, recordsSince: number): boolean {
  return snapshotBytes <= smallSnapshotBytes || recordsSince * lastSnapshotBytesPerRecord >= snapshotBytes;
}
