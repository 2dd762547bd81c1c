/**
 * A file from another server into its place: under its name it is whole, checked and on the disk, or it is not there. Places are
 * tried in turn, and all of them again while none answers.
 */
import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CommError, DataError, DiscoError } from "../../errors.ts";
import { privateFileMode } from "../private-modes.ts";
import type { Peers } from "./peers.ts";

export interface DownloadOptions {
  readonly peers: Peers;
  readonly urls: readonly string[];
  /** Hex. Absent: what the server says it is, if it does. */
  readonly sha256?: string | undefined;
  readonly signal: AbortSignal;
  /** Times that all places are tried. Default 4. */
  readonly rounds?: number;
}

const roundsDefault = 4;
const firstPauseMs = 200;

/** @throws DataError `not-fetched`, with the reason of the last place; an error of this disk; the signal's reason */
export async function download(to: string, options: DownloadOptions): Promise<void> {
  const { urls, signal, rounds = roundsDefault } = options;
  let last: unknown = new Error("nobody is known to have it");
  for (let round = 0; round < rounds && urls.length > 0; round++) {
    if (round > 0) await sleep(firstPauseMs * 2 ** round, undefined, { signal });
    for (const url of urls) {
      try {
        await fetchInto(to, url, options);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof DiscoError)) throw error;
        last = error;
      }
    }
  }
  throw new DataError(`the file could not be fetched: ${last instanceof Error ? last.message : String(last)}`, {
    code: "not-fetched",
    retry: "elsewhere",
    cause: last,
  });
}

async function fetchInto(to: string, url: string, { peers, sha256, signal }: DownloadOptions): Promise<void> {
  const reply = await peers.ask(url, { method: "GET", signal, headers: { "want-repr-digest": "sha-256=1" } });
  const temporary = `${to}.${process.pid}.partial`;
  try {
    const origin = new URL(url).origin;
    if (reply.statusCode !== 200) {
      throw new CommError(`${origin} answers ${reply.statusCode}`, { code: "bad-reply", retry: "here" });
    }
    const handle = await open(temporary, "w", privateFileMode);
    const hash = createHash("sha256");
    let length = 0;
    try {
      for await (const chunk of bytesOf(reply, origin)) {
        hash.update(chunk);
        await handle.writeFile(chunk);
        length += chunk.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    assertWhole(reply, origin, length, hash.digest(), sha256);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    reply.destroy();
  }
}

/** A break of the connection is the server's affair, as none of the disk's errors is. */
async function* bytesOf(reply: IncomingMessage, origin: string): AsyncGenerator<Buffer, void, undefined> {
  const chunks = reply[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await chunks.next();
    } catch (cause) {
      throw new CommError(`${origin} broke off: ${(cause as Error).message}`, { code: "peer-unreachable", cause });
    }
    if (next.done === true) return;
    yield next.value;
  }
}

function assertWhole(
  { headers }: IncomingMessage,
  origin: string,
  length: number,
  digest: Buffer,
  sha256: string | undefined,
): void {
  const announced = headers["content-length"];
  const told = /\bsha-256=:([A-Za-z0-9+/=]+):/.exec(String(headers["repr-digest"] ?? ""))?.[1];
  const isWhole =
    (announced === undefined || Number(announced) === length) &&
    (sha256 === undefined || digest.toString("hex") === sha256) &&
    (told === undefined || digest.toString("base64") === told);
  if (!isWhole) {
    throw new DataError(`what ${origin} gives is not the file: length or digest differ`, { code: "bad-digest" });
  }
}
