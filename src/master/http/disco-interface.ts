/**
 * Disco's own interface (`/disco/…`) over sockets: what is long is streamed, the rest is `routes.ts`, which the embedded engine
 * uses as well.
 */
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpLimits } from "../../http/limits.ts";
import { hasBody } from "../../http/refusal.ts";
import { parseRange } from "../../node/data-server/range.ts";
import { sendBytes } from "../../node/data-server/send-file.ts";
import type { ServedMaster } from "../served-master.ts";
import { jobName } from "./arguments.ts";
import { readBody } from "./body.ts";
import { sendJobEvents, sendRawEvents } from "./event-stream.ts";
import type { JobListBody } from "./job-list.ts";
import type { HttpRequest } from "./route.ts";
import { answer, replyOf, wrongMethod } from "./routes.ts";
import { send } from "./send.ts";
import type { Target } from "./target.ts";
import { submitUpload } from "./upload.ts";

export interface DiscoInterfaceParts {
  readonly master: ServedMaster;
  readonly limits: HttpLimits;
  readonly packBytesMax: number;
  readonly jobList: JobListBody;
  readonly closing: AbortSignal;
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
}

type Stream = (exchange: Exchange, parts: DiscoInterfaceParts) => Promise<void>;

interface StreamRoute {
  readonly method: "GET" | "POST";
  readonly handle: Stream;
}

/** Any path below takes job packs, as in Disco. */
const uploadPath = "/disco/job/";
const upload: StreamRoute = { method: "POST", handle: submitUpload };

const streams: ReadonlyMap<string, StreamRoute> = new Map([
  ["/disco/ctrl/joblist", { method: "GET", handle: sendJobList }],
  ["/disco/ctrl/parameters", { method: "GET", handle: sendPack }],
  ["/disco/ctrl/rawevents", { method: "GET", handle: sendRawEvents }],
  ["/disco/ctrl/jobevents", { method: "GET", handle: sendJobEvents }],
]);

export async function handleDisco(exchange: Exchange, parts: DiscoInterfaceParts): Promise<void> {
  const { request, response, target } = exchange;
  const { method = "" } = request;
  const { path, query } = target;
  const stream = path.startsWith(uploadPath) ? upload : streams.get(path);
  try {
    if (stream === undefined) {
      const body = hasBody(request) ? await readBody(request, parts.limits) : new Uint8Array(0);
      const asked: HttpRequest = {
        method,
        path,
        query,
        body,
        offset: 0,
        // Few answers wait for anything.
        get signal() {
          return endOf(response, parts.closing);
        },
      };
      send(response, await answer(asked, parts.master));
    } else if (stream.method === method) {
      await stream.handle(exchange, parts);
    } else {
      send(response, wrongMethod(path, [stream.method]));
    }
  } catch (error) {
    const reply = response.headersSent ? null : replyOf(error);
    if (reply === null) throw error;
    send(response, reply);
  }
}

async function sendJobList({ response }: Exchange, { jobList }: DiscoInterfaceParts): Promise<void> {
  send(response, { status: 200, contentType: "application/json", body: await jobList.get() });
}

async function sendPack({ request, response, target }: Exchange, { master }: DiscoInterfaceParts): Promise<void> {
  const file = await open(await master.packFile(jobName(target)));
  try {
    const { size } = await file.stat();
    const range = parseRange(request.headers.range, size);
    const { from, to } = range.kind === "part" ? range : { from: 0, to: range.kind === "outside" ? 0 : size };
    response.setHeader("content-type", "application/octet-stream");
    response.setHeader("content-length", to - from);
    response.setHeader("accept-ranges", "bytes");
    if (range.kind === "part") {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${from}-${to - 1}/${size}`);
    }
    await sendBytes(response, file, from, to);
  } finally {
    await file.close();
  }
}

/** Aborted when the client has gone, or the server closes. */
function endOf(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, closing]);
}
