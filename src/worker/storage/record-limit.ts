/**
 * How large a record may be. On its way a record is in memory several times: as the user's value, in a buffer, in the block that is
 * written or read, and decoded. A record above an eighth of the memory limit would end the process, and with it every trace of
 * which record it was; so it is refused while its key is known.
 */
import { DiscoError } from "../../errors.ts";
import { describe } from "../describe.ts";

/** Of a worker's memory limit. */
const recordShare = 1 / 8;
/** Taken in any case. */
const recordBytesMin = 1024 * 1024;

/** Bytes that a record may take where a worker may have `memoryLimitBytes`. */
export function recordBytesMax(memoryLimitBytes: number): number {
  return Math.max(recordBytesMin, memoryLimitBytes * recordShare);
}

/** The error for a record of `bytes`, which is more than `bytesMax`. */
export function recordTooLarge(key: unknown, bytes: number, bytesMax: number): DiscoError {
  return new DiscoError(
    `the record with the key ${describe(key)} takes ${mega(bytes)} MB, an eighth of the memory limit is ${mega(bytesMax)} MB`,
    {
      code: "record-too-large",
      hint: `Split it into several records, or raise memoryLimit above ${Math.ceil(bytes / recordShare / megabyte)} MB.`,
    },
  );
}

const megabyte = 1024 * 1024;

function mega(bytes: number): string {
  return (bytes / megabyte).toFixed(1);
}
