/**
 * What one task reads of the outputs of one other node, into one file of the job's home. A connection that breaks is made again
 * and goes on with the output in which it broke; what had come before stays.
 *
 * A node that is slow is waited for as long as bytes come. One that refuses connections, cuts them, or is silent is asked
 * again for `patienceMs` after its last byte, a little longer than a node without heartbeats is taken for alive: if it died, the
 * master knows before we give up. What it says it does not have is not asked for twice.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import zlib from "node:zlib";
import { CommError, DataError, DiscoError } from "../../errors.ts";
import type { FetchedPlace } from "../../protocol/manifest-file.ts";
import { decodeDirectory, encodeDirectory } from "../../protocol/output-directory.ts";
import { badFrame, type OutputsRequest, outputFramesType, outputsPerRequestMax } from "../../protocol/output-frames.ts";
import { privateFileMode } from "../private-modes.ts";
import { type Frame, FrameReader } from "./frame-reader.ts";
import { MissingOutput, type WantedOutput } from "./missing-output.ts";
import { isLocalUrl, type Peers } from "./peers.ts";

export const patienceMsDefault = 20_000;
/** An output that has broken off so often in a row is not to be had, though bytes of it come. */
const breaksMax = 8;
/** Of the patience: from a tenth of a second up to three, where it is 20 s. */
const firstPauseShare = 1 / 200;
const pauseShareMax = 1 / 7;

export interface FetchOptions {
  readonly peers: Peers;
  /** Node that has the outputs. */
  readonly host: string;
  /** Relative to a data directory: home of the job at that node. */
  readonly jobDir: string;
  readonly outputs: readonly WantedOutput[];
  readonly label: number | undefined;
  /** Absolute path of the file that is made, and its name relative to the data directory. */
  readonly path: string;
  readonly file: string;
  readonly signal: AbortSignal;
  /** How long a node that gives nothing is asked again. Default: 20 s. */
  readonly patienceMs?: number;
}

/**
 * Where each output lies now, in their order.
 * @throws MissingOutput; DiscoError `peer-refused` for a wrong token; an error of the file system; the signal's reason
 */
export async function fetchOutputs(options: FetchOptions): Promise<FetchedPlace[]> {
  const { path, outputs, signal, patienceMs = patienceMsDefault } = options;
  const spool = new Spool(await open(path, "w", privateFileMode), options.file);
  let heardAt = performance.now();
  let breaks = 0;
  try {
    while (spool.places.length < outputs.length) {
      const before = spool.places.length;
      try {
        await fetchSome(options, spool, () => (heardAt = performance.now()));
        breaks = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        breaks = spool.places.length > before ? 0 : breaks + 1;
        if (performance.now() - heardAt > patienceMs || breaks > breaksMax) {
          throw new MissingOutput(outputs[spool.places.length] as WantedOutput, error);
        }
        await sleep(patienceMs * Math.min(pauseShareMax, firstPauseShare * 2 ** breaks), undefined, { signal });
      }
    }
    return spool.places;
  } finally {
    await spool.close();
  }
}

/** One request for what is still missing, as far as one may be long. */
async function fetchSome(options: FetchOptions, spool: Spool, heard: () => void): Promise<void> {
  const { peers, host, jobDir, outputs, label, signal } = options;
  const first = spool.places.length;
  const wanted = outputs.slice(first, first + outputsPerRequestMax);
  const base = peers.urlOf(host);
  const body = Buffer.from(JSON.stringify(requestOf(wanted, label)), "utf8");
  const headers = {
    "content-type": "application/json",
    // Within a machine there is no line that would be spared.
    ...(isLocalUrl(base) ? {} : { "accept-encoding": "zstd" }),
  };
  const url = `${base}/disco/${jobDir.split("/").map(encodeURIComponent).join("/")}/.disco/outputs`;
  const reply = await peers.ask(url, { method: "POST", body, headers, signal });
  try {
    assertFrames(reply, base);
    const frames = new FrameReader(chunksOf(reply, heard));
    for (const [index, output] of wanted.entries()) {
      const frame = await frames.next();
      if (frame.index !== index || frame.kind === "end") throw badFrame("another one was due");
      if (frame.kind === "output") await spool.take(frame, frames);
      else throw await missing(output, frame, frames);
    }
    const end = await frames.next();
    if (end.kind !== "end" || end.index !== wanted.length) throw badFrame("the last one was due");
    await frames.end();
  } finally {
    reply.destroy();
  }
}

function requestOf(wanted: readonly WantedOutput[], label: number | undefined): OutputsRequest {
  const numbers = new Map<string, number>();
  const outputs = wanted.map(({ ref }) => {
    let number = numbers.get(ref.file);
    if (number === undefined) numbers.set(ref.file, (number = numbers.size));
    return [number, ref.at, ref.length] as const;
  });
  return { ...(label === undefined ? {} : { label }), files: [...numbers.keys()], outputs };
}

/** @throws DiscoError `peer-refused`, CommError `bad-reply` for whatever else is no stream of outputs */
function assertFrames(reply: IncomingMessage, base: string): void {
  const { statusCode = 0, headers } = reply;
  if (statusCode === 401 || statusCode === 403) {
    throw new DiscoError(`${base} does not accept this node's token`, {
      code: "peer-refused",
      retry: "elsewhere",
      hint: "All masters and nodes of a cluster are started with the same token.",
    });
  }
  if (statusCode !== 200 || headers["content-type"] !== outputFramesType) {
    const message = `${base} answers ${statusCode} with ${headers["content-type"] ?? "no type"} instead of outputs`;
    throw new CommError(message, { code: "bad-reply", retry: "here" });
  }
}

async function* chunksOf(reply: IncomingMessage, heard: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  const isPacked = reply.headers["content-encoding"] === "zstd";
  const bytes = isPacked ? reply.pipe(zlib.createZstdDecompress()) : reply;
  // `pipe` tells of the end, not of a break.
  if (isPacked) reply.once("error", (error) => bytes.destroy(error));
  for await (const chunk of bytes as AsyncIterable<Uint8Array>) {
    heard();
    yield chunk;
  }
}

async function missing(output: WantedOutput, frame: Frame, frames: FrameReader): Promise<MissingOutput> {
  // The reason is believed when its checksum is right.
  for await (const _ of frames.data());
  return new MissingOutput(output, new DataError(frame.head.toString("utf8"), { code: "input-lost" }));
}

/** Whether another try may help: everything between us and the node, and an answer that is damaged. */
function isPassing(error: unknown): boolean {
  if (error instanceof MissingOutput) return false;
  if (error instanceof CommError || error instanceof DataError) return true;
  if (error instanceof DiscoError) return false;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === undefined || !diskCodes.has(code);
}

/** Of our own disk. */
const diskCodes: ReadonlySet<string> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "EIO",
  "EROFS",
  "EBADF",
  "EMFILE",
  "ENFILE",
]);

/** The file that outputs are gathered in: each output's blocks, and behind them its directory. */
class Spool {
  readonly places: FetchedPlace[] = [];
  readonly #handle: FileHandle;
  readonly #file: string;
  /** Behind the last output that is whole. */
  #end = 0;

  constructor(handle: FileHandle, file: string) {
    this.#handle = handle;
    this.#file = file;
  }

  /** One output; of one that breaks off nothing stays. */
  async take(frame: Frame, frames: FrameReader): Promise<void> {
    const start = this.#end;
    let at = start;
    for await (const bytes of frames.data()) at = await this.#write(bytes, at);
    const labels = decodeDirectory(frame.head);
    const moved = labels.map(({ label, extents }) => ({
      label,
      extents: extents.map((extent) => {
        if (!(extent.offset >= 0 && extent.length >= 0 && extent.offset + extent.length <= frame.dataBytes)) {
          throw badFrame("its directory leads out of it");
        }
        return { ...extent, offset: start + extent.offset };
      }),
    }));
    const directory = encodeDirectory(moved);
    this.#end = await this.#write(directory, at);
    this.places.push({ file: this.#file, at, length: directory.length });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #write(bytes: Buffer, at: number): Promise<number> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
    return at + bytes.length;
  }
}
