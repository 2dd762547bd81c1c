/**
 * Whether an output of an earlier stage that a worker cannot read is gone. Workers are not believed: each lost output costs a task, and
 * what one cannot read another may. An output is an index; it is there when the index is, and all files of nodes that it names.
 *
 * A worker may have passed on addresses of what others wrote: of an index whose files are on a node that is lost, its own task is run
 * again, misses its input then, and so on to the one that wrote them.
 */
import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { OutputRef } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { parseIndex } from "../../schemes/dir.ts";
import { isPlainName, pathOf } from "../data-server/request-path.ts";
import type { Peers } from "../fetch/peers.ts";
import { indexBytesMax } from "./limits.ts";

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
/** `gone`: it is not there, or its node is not. `unclear`: its node does not say. */
type Found<T> = T | "gone" | "unclear";

export async function isOutputLost(ref: OutputRef, options: LostOutputsOptions): Promise<boolean> {
  const text = await textOf(ref.host, ref.file, options);
  if (text === "unclear") return false;
  if (text === "gone" || Buffer.byteLength(text.index) !== ref.length) return true;
  for (const { url, size } of parseIndex(text.index, ref.file)) {
    const [, host, path] = /^disco:\/\/([^/:]+)\/disco\/(.+)$/.exec(url) ?? [];
    if (host === undefined || path === undefined) continue;
    // A worker may have written anything: what is no path of a file is none of ours to look for.
    if (!path.split("/").every(isPlainName)) continue;
    const found = await sizeOf(host, path, options);
    if (found === "gone" || (found !== "unclear" && found !== size)) return true;
  }
  return false;
}

/** A file may lie here under another name than the node's: it had that before. */
async function textOf(host: string, file: string, options: LostOutputsOptions): Promise<Found<{ index: string }>> {
  const index = await readFile(join(options.dataDir, file), "utf8").catch(() => null);
  if (index !== null) return { index };
  if (host === options.host) return "gone";
  return await asked(host, file, "GET", options, async (answer) => ({ index: await bodyOf(answer) }));
}

async function sizeOf(host: string, file: string, options: LostOutputsOptions): Promise<Found<number>> {
  const found = await stat(join(options.dataDir, file)).catch(() => null);
  if (found?.isFile() === true) return found.size;
  if (host === options.host) return "gone";
  return await asked(host, file, "HEAD", options, (answer) => {
    answer.resume();
    const length = answer.headers["content-length"];
    return Promise.resolve(length === undefined ? "unclear" : Number(length));
  });
}

/** Asks the data server of another node. */
async function asked<T>(
  host: string,
  file: string,
  method: "GET" | "HEAD",
  { peers, patienceMs = usualPatienceMs, retryDelayMs = usualRetryDelayMs }: LostOutputsOptions,
  read: (answer: IncomingMessage) => Promise<Found<T>>,
): Promise<Found<T>> {
  if (peers === null) return "gone";
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      const url = peers.urlOf(host) + pathOf(["disco", ...file.split("/")]);
      const answer = await peers.ask(url, { method, signal: new AbortController().signal, idleMs });
      if (answer.statusCode === 200) return await read(answer);
      answer.resume();
      return answer.statusCode === 404 ? "gone" : "unclear";
    } catch (error) {
      // Of a node that nobody reaches, its files are lost for those who need them now.
      if (!(error instanceof DiscoError) || performance.now() >= end) return "gone";
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
  }
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
