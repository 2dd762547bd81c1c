/**
 * A job pack on its way from a request's body to the master, through a file: it may be larger than memory. Both HTTP interfaces take
 * their jobs here.
 *
 * U0. Whatever keeps every job out is said before the pack is read: nobody should send a gigabyte for this answer.
 * U1. What is refused leaves no file: too large, cut off by the client, a disk that is full.
 * U2. A size that is announced is checked before the first byte is read, one that is not while it is.
 * U3. The disk's pace is the client's: no more is read from the socket than was written.
 */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { DiscoError } from "../../errors.ts";
import { diskFullHint, isDiskFull } from "../../node/disk.ts";
import type { ServedMaster } from "../served-master.ts";

export interface UploadOptions {
  readonly bytesMax: number;
  readonly idempotencyKey: string | undefined;
}

/**
 * Starts the job whose pack is the request's body, and returns its name.
 * @throws DiscoError `body-too-large`, `cut-off`, `disk-full`, `upload-failed`, and all that `assertAccepting` and `submitFile` throw
 */
export async function submitBody(
  request: IncomingMessage,
  master: Pick<ServedMaster, "assertAccepting" | "incomingDir" | "submitFile">,
  { bytesMax, idempotencyKey }: UploadOptions,
): Promise<string> {
  master.assertAccepting(idempotencyKey);
  const file = await receive(request, master.incomingDir, bytesMax);
  return await master.submitFile(file, idempotencyKey === undefined ? {} : { idempotencyKey });
}

/** The absolute path of a file with the whole body, under a name of its own; it is the caller's from then on. */
async function receive(request: IncomingMessage, directory: string, bytesMax: number): Promise<string> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const file = join(directory, `${randomUUID()}.pack`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // The request is left as it is: destroyed, it would take the connection along, and the answer with it.
    const body = request.iterator({ destroyOnReturn: false });
    await pipeline(body, limit(bytesMax), createWriteStream(file, { flags: "wx", mode: 0o600 }));
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throw refusal(error, request);
  }
}

function refusal(error: unknown, request: IncomingMessage): DiscoError {
  if (error instanceof DiscoError) return error;
  if (isDiskFull(error)) {
    const message = "the job pack could not be stored: the disk is full";
    return new DiscoError(message, { code: "disk-full", cause: error, hint: diskFullHint });
  }
  if (request.errored !== null || (request.destroyed && !request.complete)) {
    return new DiscoError("the connection ended before the body did", { code: "cut-off", cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new DiscoError(`the body could not be stored: ${why}`, { code: "upload-failed", cause: error });
}

function limit(bytesMax: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done): void {
      bytes += chunk.length;
      if (bytes > bytesMax) done(tooLarge(bytesMax));
      else done(null, chunk);
    },
  });
}

function tooLarge(bytesMax: number): DiscoError {
  return new DiscoError(`a body of at most ${bytesMax} bytes expected`, {
    code: "body-too-large",
    hint: "Give big files as input instead of requiredFiles, or raise DISCO_PACK_MAX where the master runs, up to 1 GiB.",
  });
}
