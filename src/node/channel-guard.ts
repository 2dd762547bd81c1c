/**
 * The channel of a worker process carries a JSON text a line. Whoever writes to its file descriptor in the worker (a native
 * add-on gone wrong, code that closes and opens descriptors by number) can send anything: Node's parser then throws, out of a
 * callback of the engine's own process, which would end with all of its jobs. And a line that never ends would fill the
 * engine's memory. The guard stands between the pipe and the parser.
 */
import type { ChildProcess } from "node:child_process";

/** A line may be so long: far above the directory of a task with a million partitions. */
export const channelLineBytesMax = 256 * 1024 * 1024;
const newline = 10;

interface ChannelHandle {
  onread: (this: unknown, bytes: ArrayBuffer | undefined) => void;
}

/** Calls `broken` once when what comes is no message; nothing that comes after it is read. */
export function guardChannel(child: ChildProcess, broken: (reason: string) => void): void {
  const handle = handleOf(child);
  // Another version of Node, that keeps it elsewhere: messages still arrive, unguarded.
  if (handle === null) return;
  const read = handle.onread;
  let isBroken = false;
  let lineBytes = 0;
  const fail = (reason: string): void => {
    isBroken = true;
    broken(reason);
  };
  handle.onread = function (this: unknown, bytes) {
    if (bytes !== undefined) {
      if (isBroken) return;
      const end = new Uint8Array(bytes).lastIndexOf(newline);
      lineBytes = end < 0 ? lineBytes + bytes.byteLength : bytes.byteLength - end - 1;
      if (lineBytes > channelLineBytesMax) {
        fail(`a line of more than ${channelLineBytesMax} bytes`);
        return;
      }
    }
    try {
      // Listeners run in a later turn: what is thrown here comes from the parser.
      read.call(this, bytes);
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error));
    }
  };
}

function handleOf(child: ChildProcess): ChannelHandle | null {
  const symbol = Object.getOwnPropertySymbols(child).find(({ description }) => description === "kChannelHandle");
  const handle = symbol === undefined ? undefined : (child as unknown as Record<symbol, unknown>)[symbol];
  const found = handle as Partial<ChannelHandle> | null | undefined;
  return typeof found?.onread === "function" ? (found as ChannelHandle) : null;
}
