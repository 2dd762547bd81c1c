/** An open file as the body of a response, at the pace of whoever reads it. */
import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { finished } from "node:stream/promises";

const chunkBytes = 512 * 1024;
/** A client that takes not one byte for so long is gone; one that comes back later goes on with a range. */
const stallMsMax = 10 * 60_000;

/**
 * Sends the bytes `from` up to `to` and ends the response. A file that turns out shorter, or a client that goes away, ends the
 * connection instead: what was announced is never made up. The handle stays open.
 */
export async function sendBytes(response: ServerResponse, handle: FileHandle, from: number, to: number): Promise<void> {
  response.setTimeout(stallMsMax, () => response.destroy());
  // Two buffers: one is read into while the other is on its way.
  const buffers = [Buffer.allocUnsafeSlow(Math.min(chunkBytes, to - from)), Buffer.alloc(0)];
  let sending: Promise<boolean> = Promise.resolve(true);
  let at = from;
  for (let turn = 0; at < to; turn = 1 - turn) {
    if (turn === 1 && buffers[1]?.length === 0) buffers[1] = Buffer.allocUnsafeSlow(Math.min(chunkBytes, to - at));
    const buffer = buffers[turn] as Buffer;
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (!(await sending)) return;
    if (bytesRead === 0) {
      response.destroy();
      return;
    }
    at += bytesRead;
    sending = write(response, buffer.subarray(0, bytesRead));
  }
  if (!(await sending)) return;
  response.end();
  await finished(response).catch(() => undefined);
}

/** `false`: nobody is there any more. Resolves when the bytes have left the buffer. */
function write(response: ServerResponse, bytes: Uint8Array): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const closed = (): void => resolve(false);
    response.once("close", closed);
    response.write(bytes, (error) => {
      response.off("close", closed);
      resolve(error === undefined || error === null);
    });
  });
}
