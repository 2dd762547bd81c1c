/** Why a master decides nothing: for good, or until there is room again. */
import { DiscoError } from "../errors.ts";
import type { DiskRoom } from "./disk-room.ts";

/** Failures of the journal that pass when there is room again. */
const passing = new Set(["disk-full", "journal-io"]);

/** `null`: it does not pass. */
export function readOnlyBecause(cause: unknown, room: DiskRoom | undefined): DiscoError | null {
  if (room === undefined || !(cause instanceof DiscoError) || !passing.has(cause.code)) return null;
  const message = `the master is read-only: ${cause.message}`;
  return new DiscoError(message, { code: "read-only", retry: "here", hint: room.remedy, cause });
}

/** `next`: what to do about the jobs. */
export function stoppedBecause(cause: unknown, next: string): DiscoError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const remedy = cause instanceof DiscoError ? cause.hint : undefined;
  return new DiscoError(`the engine stopped: ${why}`, {
    code: cause instanceof DiscoError ? cause.code : "engine-failed",
    cause,
    hint: remedy === undefined ? next : `${remedy} ${next}`,
  });
}
