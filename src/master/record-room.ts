/**
 * A job is one event, and an event is part of one record of the journal. One that is too large for it must be refused before it is
 * tried: what the journal does not take stops the engine, with all other jobs.
 */
import type { JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";

/** Around the job in its record: names, numbers, and the first assignments. */
const restBytes = 2 ** 20;
/** Of a journal with small records. */
const restShare = 1 / 2;

/**
 * `packBytes`: size of its job pack. That lists all of the job, so a job with a small pack needs no closer look.
 * @throws JobError `too-many-inputs`
 */
export function assertFits(recordBytesMax: number, spec: JobSpec, packBytes: number): void {
  const room = Math.floor(recordBytesMax - Math.min(restBytes, recordBytesMax * restShare));
  if (packBytes <= room) return;
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes <= room) return;
  throw new JobError(
    `the job is refused: the list of its ${spec.inputs.length} inputs takes ${bytes} bytes, at most ${room} are possible`,
    {
      code: "too-many-inputs",
      hint: "Give fewer or larger inputs; text belongs in files, not in raw:// addresses.",
    },
  );
}
