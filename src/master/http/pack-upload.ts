/**
 * A request's body on its way to a file: job packs may be larger than memory.
 *
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

export interface UploadOptions {
  /** Where the file is made, under a name of its own. */
  readonly directory: string;
  readonly bytesMax: number;
}

/**
 * The absolute path of the file with the whole body; it is the caller's from then on.
 * @throws DiscoError `body-too-large`, `cut-off`, `disk-full`, `upload-failed`
 */
export async function receivePack(request: IncomingMessage, { directory, bytesMax }: UploadOptions): Promise<string> {
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
