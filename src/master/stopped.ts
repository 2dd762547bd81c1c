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

/** `leader`: its address, where it is known. */
export function notLeading(leader: string | null): DiscoError {
  return new DiscoError("this master follows: another one leads", {
    code: "not-leading",
    retry: "here",
    hint: leader === null ? "Ask again when a master leads." : `Ask the master that leads: ${leader}`,
  });
}

export function engineAway(sinceMs: number): DiscoError {
  return new DiscoError(`the engine of the journal has not answered for ${Math.round(sinceMs / 1000)} s`, {
    code: "engine-away",
    retry: "here",
    hint: "What runs goes on, and everything else as soon as the engine is back: see to its servers.",
  });
}
