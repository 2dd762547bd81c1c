/**
 * A tag on its way to a client. A list of a million URLs is written as it is read, some kilobytes at a time, at the client's pace: no text
 * of all of it is made, and others are answered in between. It is the list of the moment in which the writing begins, as pieces of it
 * are only replaced, never changed.
 */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Tag } from "../../../core/ddfs/tags.ts";
import type { UrlList } from "../../../core/ddfs/url-lists.ts";
import { headOf } from "../../../ddfs/ddfs.ts";

const chunkChars = 64 * 1024;

export async function sendTag(response: ServerResponse, tag: Tag): Promise<void> {
  const { version, id, "last-modified": modified } = headOf(tag);
  const head = JSON.stringify({ version, id, "last-modified": modified }).slice(0, -1);
  const data = JSON.stringify(Object.fromEntries(tag.attributes));
  response.setHeader("etag", `"${tag.id}"`);
  await sendText(response, [`${head},"urls":`, tag.urls, `,"user-data":${data}}`]);
}

export async function sendUrls(response: ServerResponse, urls: UrlList): Promise<void> {
  await sendText(response, [urls]);
}

async function sendText(response: ServerResponse, parts: readonly (string | UrlList)[]): Promise<void> {
  response.setHeader("content-type", "application/json");
  if (response.req.method === "HEAD") {
    response.end();
    return;
  }
  // A client that has gone is nobody's concern.
  await pipeline(Readable.from(texts(parts), { objectMode: false }), response).catch(() => response.destroy());
}

async function* texts(parts: readonly (string | UrlList)[]): AsyncGenerator<string> {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    let mark = "[";
    for (const line of part.lines()) {
      text += `${mark}${JSON.stringify(line.split("\t"))}`;
      mark = ",";
      if (text.length < chunkChars) continue;
      yield text;
      text = "";
      // A fast client would have all of it within one turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    text += mark === "[" ? "[]" : "]";
  }
  yield text;
}
