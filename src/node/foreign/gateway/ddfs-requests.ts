/**
 * `/ddfs/tag/…`, `/ddfs/tags/…` and `/ddfs/new_blob/…` of a job's workers: asked of the master, with the addresses in requests and
 * answers translated (`addresses.ts`). Nothing else of the master can be reached.
 *
 * DR1. Disco's clients show the token of a tag as `Authorization`; it goes on as that, and as no more (`protocol/ddfs/tag-headers.ts`).
 * DR2. What changes a tag is sent with a key of its own: asked again after a takeover, it is carried out once.
 * DR3. Only plain names go on: nothing in a path leads to another part of the master.
 * DR4. Lists of a tag pass through as they come; requests are kept, as they may have to be sent again.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { tokenOf } from "../../../http/access.ts";
import { forWorkerHeader, tagTokenHeader } from "../../../protocol/ddfs/tag-headers.ts";
import { pathOf, pathSegments } from "../../data-server/request-path.ts";
import type { Addresses } from "./addresses.ts";
import { bodyOf, busyText, goneSignal, refuse, say } from "./answers.ts";
import type { FailedUploads } from "./failed-uploads.ts";
import type { HeldBytes } from "./held-bytes.ts";
import type { MasterDoor, MasterRequest } from "./master-door.ts";
import { askAgain } from "./patience.ts";
import { rewriteUrls, UrlRewriter } from "./url-rewriter.ts";

/** Of a list of addresses that a worker adds at once. */
const bodyBytesMax = 64 * 1024 * 1024;
/** Of places for a blob, and of errors. */
const answerBytesMax = 1024 * 1024;
/** A takeover takes seconds. Disco's clients give up on a line that is silent for two minutes. */
const usualPatienceMs = 60_000;
const tagMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "DELETE"]);

export interface DdfsRequestsParts {
  readonly door: () => Promise<MasterDoor>;
  /** Nodes share one store: any of them takes a blob. */
  readonly isShared: boolean;
  /** Milliseconds for which a request is held while no master answers. Default 60 s. */
  readonly patienceMs?: number | undefined;
}

export interface DdfsRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As it came, from `/ddfs/` on, with the query. */
  readonly target: string;
  readonly addresses: Addresses;
  readonly failed: FailedUploads;
  readonly held: HeldBytes;
}

export class DdfsRequests {
  readonly #parts: DdfsRequestsParts;

  constructor(parts: DdfsRequestsParts) {
    this.#parts = parts;
  }

  async answer(asked: DdfsRequest): Promise<void> {
    const { request, response, target } = asked;
    const { method = "" } = request;
    const names = ddfsNames(target);
    if (names === null) return refuse(request, response, 400, "This is no path of a tag, or of a blob.");
    const [what = "", , ...attribute] = names;
    const isRead = method === "GET" || method === "HEAD";
    if (what === "tag" && tagMethods.has(method)) return await this.#tag(asked, attribute.join("/"));
    if (what === "tags" && isRead) return await this.#relay(asked, null);
    if (what === "new_blob" && isRead) return await this.#newBlob(asked);
    if (what === "tag" || what === "tags" || what === "new_blob") {
      return refuse(request, response, 405, `${method} is nothing that can be done here.`);
    }
    refuse(request, response, 403, "Workers reach tags and blobs of DDFS, and nothing else of it.");
  }

  async #tag(asked: DdfsRequest, attribute: string): Promise<void> {
    const { request, response, addresses, held } = asked;
    const isUrls = attribute === "" || /^ddfs(?::|%3a)urls$/i.test(attribute);
    let body: Buffer | null = null;
    if (request.method === "POST" || request.method === "PUT") {
      const whole = await bodyOf<"busy">(request, bodyBytesMax, held.for(response));
      if (whole === "busy") return refuse(request, response, 503, busyText);
      body = whole;
      if (body === null) {
        const text = `A list of at most ${bodyBytesMax} bytes was expected: add the addresses in several requests.`;
        return refuse(request, response, 413, text);
      }
      if (isUrls) body = rewriteUrls(body, (url) => addresses.outside(url));
    }
    await this.#relay(asked, body, isUrls && request.method === "GET");
  }

  async #relay(
    { request, response, target, addresses }: DdfsRequest,
    body: Buffer | null,
    isUrls = false,
  ): Promise<void> {
    const reply = await this.#ask(request, response, target, body);
    const { statusCode: status = 502, headers } = reply;
    const type = { "content-type": headers["content-type"] ?? "application/json" };
    const length = headers["content-length"];
    if (!isUrls || status !== 200) {
      response.writeHead(status, { ...type, ...(length === undefined ? {} : { "content-length": length }) });
      return await pipeline(reply, response);
    }
    const rewriter = new UrlRewriter((url) => addresses.inside(url));
    response.writeHead(status, type);
    const translated = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, rewriter.push(chunk)),
      flush: (done) => done(null, rewriter.end()),
    });
    await pipeline(reply, translated, response);
  }

  /** Asked in our own form, which says which node a place is at, and answered in Disco's. */
  async #newBlob({ request, response, target, addresses, failed }: DdfsRequest): Promise<void> {
    const mark = target.indexOf("?");
    const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark));
    for (const name of ["include", "exclude"]) {
      const hosts = (query.get(name) ?? "").split(",").flatMap((host) => failed.nodesMeantBy(host));
      if (hosts.some((host) => host !== "")) query.set(name, [...new Set(hosts)].join(","));
      else query.delete(name);
    }
    const rest = query.size === 0 ? "" : `?${query.toString()}`;
    const path = (mark < 0 ? target : target.slice(0, mark)) + rest;
    const reply = await this.#ask(request, response, `/api/v1${path}`, null);
    if (reply.statusCode !== 200) {
      reply.resume();
      // It places nothing yet: asked again in Disco's form, it is refused in Disco's words.
      const refused = await this.#ask(request, response, path, null);
      const text = await bodyOf(refused, answerBytesMax);
      const status = refused.statusCode === 200 ? 503 : (refused.statusCode ?? 502);
      response.writeHead(status, { "content-type": refused.headers["content-type"] ?? "application/json" });
      response.end(status === refused.statusCode ? text : undefined);
      return;
    }
    const targets = JSON.parse((await bodyOf(reply, answerBytesMax))?.toString() ?? "[]") as BlobPlace[];
    const urls = targets.map(({ host, object }) => {
      return addresses.base + pathOf(this.#parts.isShared ? ["ddfs", object] : ["proxy", host, "PUT", "ddfs", object]);
    });
    const json = Buffer.from(JSON.stringify(urls));
    response.writeHead(200, { "content-type": "application/json", "content-length": json.length });
    response.end(request.method === "HEAD" ? undefined : json);
  }

  async #ask(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    body: Buffer | null,
  ): Promise<IncomingMessage> {
    const signal = goneSignal(response);
    const { authorization } = request.headers;
    const token = authorization === undefined ? null : tokenOf(authorization);
    const headers = {
      [forWorkerHeader]: "1",
      ...(token === null ? {} : { [tagTokenHeader]: encodeURIComponent(token) }),
      ...(body === null ? {} : { "content-type": "application/json", "idempotency-key": randomUUID() }),
    };
    const method = request.method as MasterRequest["method"];
    const door = await this.#parts.door();
    const { patienceMs = usualPatienceMs } = this.#parts;
    return await askAgain(() => door({ method, path, headers, body, signal }), { patienceMs, signal });
  }
}

/**
 * What stands after `/ddfs/`, decoded. `null` for what is no path of plain names: the target goes on as it is, with the node's rights, and
 * `/ddfs/tag/../../api/…` is an address of something else to whoever resolves it.
 */
function ddfsNames(target: string): readonly string[] | null {
  const path = target.split("?")[0] ?? "";
  const segments = pathSegments(path.endsWith("/") ? path.slice(0, -1) : path);
  return segments?.[0] === "ddfs" ? segments.slice(1) : null;
}

/** As `/api/v1/ddfs/new_blob` lists them. */
interface BlobPlace {
  readonly host: string;
  readonly object: string;
}

/** What is told of a request that could not be carried out. */
export function sayUnanswered(response: ServerResponse): void {
  say(response, 503, "No master answers at present.");
}
