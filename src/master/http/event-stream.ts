/** `rawevents` and `jobevents` from the file of the log. */
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { parseRange } from "../../node/data-server/range.ts";
import { jobName } from "./arguments.ts";
import type { DiscoInterfaceParts, Exchange } from "./disco-interface.ts";
import { logBytes, newestEvents, wireBytes } from "./event-file.ts";
import { jobEventsQuery } from "./events.ts";
import { endStalled, sendJson } from "./send.ts";

/**
 * The log from a byte on. Where nothing is behind that byte (yet) the answer is 200 and empty: Disco's client, which asks for more
 * again and again, takes anything else for an error or for events.
 */
export async function sendRawEvents(
  { request, response, target }: Exchange,
  { master, limits }: DiscoInterfaceParts,
): Promise<void> {
  await withLog(await master.eventsFile(jobName(target)), async (file) => {
    const size = file === null ? 0 : await logBytes(file);
    const range = parseRange(request.headers.range, size);
    const { from, to } = range.kind === "part" ? range : { from: 0, to: range.kind === "outside" ? 0 : size };
    response.setHeader("content-type", "text/plain; charset=utf-8");
    response.setHeader("content-length", to - from);
    response.setHeader("accept-ranges", "bytes");
    if (range.kind === "part") {
      response.statusCode = 206;
      response.setHeader("content-range", `bytes ${from}-${to - 1}/${size}`);
    }
    endStalled(response, limits);
    if (file === null || from === to) response.end();
    else await pipeline(wireBytes(file, from, to), response);
  });
}

export async function sendJobEvents({ response, target }: Exchange, { master }: DiscoInterfaceParts): Promise<void> {
  const { wanted, filter } = jobEventsQuery(target);
  await withLog(await master.eventsFile(jobName(target)), async (file) => {
    sendJson(response, 200, file === null ? [] : await newestEvents(file, wanted, filter));
  });
}

/** `null`: nothing was logged yet. */
async function withLog(path: string, use: (file: FileHandle | null) => Promise<void>): Promise<void> {
  let file: FileHandle | null = null;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  try {
    await use(file);
  } finally {
    await file?.close();
  }
}
