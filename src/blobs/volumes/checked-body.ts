/** A blob's bytes on their way out: its end is reached only if they are what was stored. */
import { createHash } from "node:crypto";
import { type Readable, Transform } from "node:stream";
import { DiscoError } from "../../errors.ts";

/** The disk cannot read them any more. */
export const unreadable = "EIO";

/** Read ahead of who takes them, so that the disk, the sum and the network work at the same time. */
const aheadBytes = 4 * 1024 * 1024;

/** `found`: they are not; called before the error is. The last chunk is held back until all of them are known to be right. */
export function checkedBody(
  bytes: Readable,
  { object, volume, digest }: { readonly object: string; readonly volume: string; readonly digest: string },
  found: () => Promise<void>,
): Readable {
  const hash = createHash("sha256");
  let held: Buffer | null = null;
  const check = new Transform({
    highWaterMark: aheadBytes,
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      const ready = held;
      held = chunk;
      if (ready === null) done();
      else done(null, ready);
    },
    flush(done) {
      if (hash.digest("hex") === digest) {
        done(null, held);
        return;
      }
      void found().finally(() => done(damaged(object, volume)));
    },
  });
  bytes.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== unreadable) check.destroy(error);
    else void found().finally(() => check.destroy(damaged(object, volume)));
  });
  check.on("close", () => bytes.destroy());
  return bytes.pipe(check);
}

export function damaged(object: string, volume: string): DiscoError {
  return new DiscoError(`${object} on ${volume} is damaged: its bytes are not those that were stored`, {
    code: "blob-damaged",
    retry: "elsewhere",
    hint: "Another replica is read instead where there is one; garbage collection replaces this one.",
  });
}
