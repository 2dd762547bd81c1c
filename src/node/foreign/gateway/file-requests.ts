/**
 * Files of jobs and blobs, for a job's workers: the own node's by its data server, those of others from there, streamed. Indexes of
 * outputs get the addresses that workers can ask for.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { CommError } from "../../../errors.ts";
import { openContained } from "../../data-server/contained-file.ts";
import type { DataServer } from "../../data-server/data-server.ts";
import { askAs, forward, relay } from "../../data-server/forward.ts";
import { pathOf } from "../../data-server/request-path.ts";
import type { Peers } from "../../fetch/peers.ts";
import { jobDirectory } from "../../job-directory.ts";
import { indexBytesMax } from "../limits.ts";
import type { Addresses } from "./addresses.ts";
import { bodyOf, busyText, goneSignal, refuse, say, sendPart } from "./answers.ts";
import type { FailedUploads } from "./failed-uploads.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { rewriteIndex } from "./index-text.ts";
import { askAgain } from "./patience.ts";

/** A node that starts again is back by then. Its tasks run elsewhere, should it not be. */
const usualPatienceMs = 15_000;
const indexType = "text/plain; charset=utf-8";

export interface FileRequestsParts {
  readonly dataDir: string;
  /** Whether it is a name of the own node, also a former one. */
  readonly isOwn: (node: string) => boolean;
  /** The own node's. */
  readonly data: DataServer;
  readonly peers: Pick<Peers, "ask" | "urlOf">;
  /** Milliseconds for which a node that is away is asked again. Default 15 s. */
  readonly patienceMs?: number | undefined;
}

export interface FileRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Begins with `disco`, `ddfs` or `proxy`. */
  readonly segments: readonly string[];
  readonly addresses: Addresses;
  readonly failed: FailedUploads;
  readonly held: HeldBytes;
}

export class FileRequests {
  readonly #parts: FileRequestsParts;

  constructor(parts: FileRequestsParts) {
    this.#parts = parts;
  }

  async answer(asked: FileRequest): Promise<void> {
    const { request, response, segments } = asked;
    const [first, through, , ...beyond] = segments;
    const path = first === "proxy" ? beyond : segments;
    const node = path[0] === "disco" ? path[1] : first === "proxy" ? through : undefined;
    const isUpload = request.method === "PUT" && path[0] === "ddfs" && path.length === 2;
    if (request.method !== "GET" && request.method !== "HEAD" && !isUpload) {
      return refuse(request, response, 405, "Files are read, and blobs are put.");
    }
    // Nobody is asked, or waited for, about what is no file.
    if (!isFilePath(path)) return refuse(request, response, 404, "Not found.");
    if (node !== undefined && !this.#parts.isOwn(node)) return await this.#distant(asked, node, path, isUpload);
    if (isIndex(path)) return await this.#ownIndex(asked, path);
    request.url = pathOf(path);
    await this.#parts.data(request, response);
  }

  async #ownIndex({ request, response, addresses, held }: FileRequest, path: readonly string[]): Promise<void> {
    const opened = await openContained(this.#parts.dataDir, path.slice(1));
    if (opened.kind === "busy") return say(response, 503, "Too many files are open.");
    if (opened.kind !== "file") return say(response, 404, "Not found.");
    try {
      if (opened.size > indexBytesMax) return say(response, 500, tooLarge);
      if (!held.for(response)(opened.size)) return say(response, 503, busyText);
      const text = await opened.handle.readFile("utf8");
      sendPart(request, response, Buffer.from(rewriteIndex(text, (url) => addresses.inside(url))), indexType);
    } finally {
      await opened.handle.close();
    }
  }

  async #distant(
    { request, response, addresses, failed, held }: FileRequest,
    node: string,
    path: readonly string[],
    isUpload: boolean,
  ): Promise<void> {
    const { peers, patienceMs = usualPatienceMs } = this.#parts;
    const address = (): string => peers.urlOf(node) + pathOf(path);
    if (isUpload) {
      // A stream is sent once: whoever puts a blob asks for another place when it fails.
      response.once("finish", () => {
        if (response.statusCode !== 201) failed.add(node);
      });
      return await forward(request, response, address(), peers);
    }
    const signal = goneSignal(response);
    const isOfOutputs = isIndex(path);
    const { range } = request.headers;
    // Parts are cut from what it becomes here, and so is its length.
    if (isOfOutputs) delete request.headers.range;
    const method = isOfOutputs ? "GET" : undefined;
    let reply: IncomingMessage;
    try {
      reply = await askAgain(async () => await askAs(request, address(), peers, signal, method), {
        patienceMs,
        signal,
      });
    } catch (error) {
      if (!(error instanceof CommError)) throw error;
      return say(response, 502, `${node} cannot be reached: ${error.message}`);
    }
    if (!isOfOutputs || reply.statusCode !== 200) return await relay(reply, response);
    const body = await bodyOf<"busy">(reply, indexBytesMax, held.for(response));
    if (body === null || body === "busy") {
      reply.destroy();
      return body === null ? say(response, 502, tooLarge) : say(response, 503, busyText);
    }
    if (range !== undefined) request.headers.range = range;
    sendPart(request, response, Buffer.from(rewriteIndex(body.toString(), (url) => addresses.inside(url))), indexType);
  }
}

const tooLarge = `An index of outputs has at most ${indexBytesMax} bytes.`;

/** `/disco/NODE/hh/JOB/…` or `/ddfs/…` */
function isFilePath([first, ...names]: readonly string[]): boolean {
  if (first === "ddfs") return names.length > 0;
  const [node = "", hash, job = ""] = names;
  return first === "disco" && names.length > 3 && `${node}/${hash}/${job}` === jobDirectory(node, job);
}

/** `/disco/NODE/hh/JOB/.disco/….results` */
function isIndex(path: readonly string[]): boolean {
  return path[0] === "disco" && path.length === 6 && path[4] === ".disco" && path[5]?.endsWith(".results") === true;
}
