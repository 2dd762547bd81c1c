/**
 * Answers that last: server-sent events, lines of JSON, files. The reader sets the pace: what it does not take stays where it
 * is, in a log or a file, and not in memory.
 *
 * A stream that has told everything says so (`event: end`, or the end of the chunked body). One that stops because the server
 * closes does not, so that the client knows to ask again.
 */
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { DiscoError } from "../../../errors.ts";
import { heartbeatMs as heartbeatMsDefault } from "../../../protocol/api/events.ts";
import { detailsOf } from "./statuses.ts";

export interface StreamItem {
  /** Where to go on behind this item. */
  readonly id?: number;
  readonly data: unknown;
}

interface StreamOptions {
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number | undefined;
}

/** What comes within so long still decides on the status: an error then has one of its own. */
const firstItemMs = 50;

/** Sends items as server-sent events. @throws what the first item throws, as long as nothing was sent */
export async function sendEvents(
  response: ServerResponse,
  items: AsyncIterable<StreamItem>,
  { signal, heartbeatMs = heartbeatMsDefault }: StreamOptions,
): Promise<void> {
  await send(response, items, signal, {
    type: "text/event-stream; charset=utf-8",
    begin: () => {
      const timer = setInterval(() => {
        if (!response.writableNeedDrain) response.write(":\n\n");
      }, heartbeatMs);
      return () => clearInterval(timer);
    },
    item: ({ id, data }) => `${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`,
    // Without data, browsers would not tell of it.
    end: () => "event: end\ndata: {}\n\n",
    error: (error) => `event: error\ndata: ${JSON.stringify({ error: detailsOf(error) })}\n\n`,
  });
}

/** Sends items as lines of JSON. */
export async function sendLines(
  response: ServerResponse,
  items: AsyncIterable<StreamItem>,
  { signal }: StreamOptions,
): Promise<void> {
  await send(response, items, signal, {
    type: "application/x-ndjson; charset=utf-8",
    begin: () => () => undefined,
    item: ({ data }) => `${JSON.stringify(data)}\n`,
    end: () => "",
    error: () => null,
  });
}

interface Form {
  readonly type: string;
  /** Called when the head is sent; what it returns, at the end. */
  readonly begin: () => () => void;
  readonly item: (item: StreamItem) => string;
  readonly end: () => string;
  /** `null`: the stream is cut off instead. */
  readonly error: (error: unknown) => string | null;
}

async function send(
  response: ServerResponse,
  items: AsyncIterable<StreamItem>,
  signal: AbortSignal,
  form: Form,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  await settledOrLate(next, signal);
  response.writeHead(200, { "content-type": form.type, "cache-control": "no-store", "x-accel-buffering": "no" });
  response.flushHeaders();
  const stop = form.begin();
  try {
    for (;;) {
      const { done, value } = await next;
      if (signal.aborted) {
        response.destroy();
        return;
      }
      if (done === true) break;
      if (!response.write(form.item(value))) await drained(response, signal);
      next = iterator.next();
    }
    response.end(form.end());
  } catch (error) {
    const told = form.error(error);
    if (told === null || signal.aborted) response.destroy();
    else response.end(told);
  } finally {
    stop();
    await iterator.return?.();
  }
}

async function settledOrLate(first: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, firstItemMs);
  signal.addEventListener("abort", () => late.resolve());
  try {
    await Promise.race([first, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(response, "drain", { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Sends a file as bytes. @throws DiscoError `code` when it is not there (any more) */
export async function sendFile(response: ServerResponse, path: string, gone: () => DiscoError): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw gone();
    throw error;
  }
  try {
    const { size } = await file.stat();
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": size,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    if (response.req.method === "HEAD" || size === 0) {
      response.end();
      return;
    }
    // As many bytes as were announced, whatever becomes of the file.
    await pipeline(file.createReadStream({ autoClose: false, end: size - 1 }), response).catch(() => {
      // The client is gone, or the file ends too soon: the connection ends, which tells it.
      response.destroy();
    });
  } finally {
    await file.close();
  }
}
