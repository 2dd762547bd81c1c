/**
 * Whether an output of an earlier stage that a worker cannot read is gone. Workers are not believed: each lost output costs a task, and
 * what one cannot read another may. An output is an index; it is there when the index is, and all files of its node that it names.
 */

import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { OutputRef } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { type IndexEntry, parseIndex } from "../../schemes/dir.ts";
import type { Peers } from "../fetch/peers.ts";

export interface LostOutputsOptions {
  /** Name of this node. */
  readonly host: string;
  readonly dataDir: string;
  /** `null`: there are no other nodes. */
  readonly peers: Peers | null;
  /** A node that cannot be reached is asked again for so long. Default: 2 s. */
  readonly patienceMs?: number | undefined;
  /** Between two questions. Default: 500 ms. */
  readonly retryDelayMs?: number | undefined;
}

/** Little: the gateway has been patient with that node before the worker gave up. */
const usualPatienceMs = 2_000;
const usualRetryDelayMs = 500;
/** Without a byte for so long it counts as one that cannot be reached. */
const idleMs = 5_000;
/** Of an index that another node sends. */
const indexBytesMax = 64 * 1_024 * 1_024;

export async function isOutputLost(ref: OutputRef, options: LostOutputsOptions): Promise<boolean> {
  if (ref.host === options.host) return await isLostHere(ref, options.dataDir);
  const { peers } = options;
  if (peers === null) return true;
  const { patienceMs = usualPatienceMs, retryDelayMs = usualRetryDelayMs } = options;
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      return await isLostThere(ref, peers);
    } catch (error) {
      // Of a node that nobody reaches, its outputs are lost for those who need them now.
      if (!(error instanceof DiscoError) || performance.now() >= end) return true;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
  }
}

async function isLostHere(ref: OutputRef, dataDir: string): Promise<boolean> {
  const text = await readFile(join(dataDir, ref.file), "utf8").catch(() => null);
  if (text === null || Buffer.byteLength(text) !== ref.length) return true;
  for (const { path, size } of ownFiles(ref, text)) {
    const found = await stat(join(dataDir, path)).catch(() => null);
    if (found?.isFile() !== true || found.size !== size) return true;
  }
  return false;
}

/** @throws CommError: the node did not answer */
async function isLostThere(ref: OutputRef, peers: Peers): Promise<boolean> {
  const base = peers.urlOf(ref.host);
  const { signal } = new AbortController();
  const index = await peers.ask(`${base}/disco/${ref.file}`, { method: "GET", signal, idleMs });
  const text = await bodyOf(index);
  if (index.statusCode !== 200 || Buffer.byteLength(text) !== ref.length) return true;
  for (const { path, size } of ownFiles(ref, text)) {
    const file = await peers.ask(`${base}/disco/${path}`, { method: "HEAD", signal, idleMs });
    file.resume();
    if (file.statusCode !== 200 || Number(file.headers["content-length"] ?? size) !== size) return true;
  }
  return false;
}

/** The files of the node that an index names, relative to its data directory. */
function ownFiles({ host, file }: OutputRef, text: string): { path: string; size: number }[] {
  const prefix = `disco://${host}/disco/`;
  const entries: IndexEntry[] = parseIndex(text, file);
  return entries
    .filter(({ url }) => url.startsWith(prefix))
    .map(({ url, size }) => ({ path: url.slice(prefix.length), size }));
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > indexBytesMax) break;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
