/**
 * Bodies of requests to DDFS. A list of URLs may have half a gigabyte, as in Disco: it is parsed while it comes. All lists that are being
 * read at one time have a limit together, as what is parsed of them is held in memory.
 */
import type { IncomingMessage } from "node:http";
import type { UrlText } from "../../../core/ddfs/events.ts";
import { UrlListReader } from "../../../ddfs/url-list-reader.ts";
import { DiscoError } from "../../../errors.ts";

/** Of one list, as in Disco. */
const tagBytesMax = 512 * 2 ** 20;
/** Of all lists that are being read. */
const allBytesMax = 2 * tagBytesMax;
/** Attributes have 4 KiB at most; names of hosts less. */
const valueBytesMax = 64 * 1024;

export interface BodyLimits {
  /** Bytes of one list. */
  readonly list: number;
  /** Of all that are being read. */
  readonly all: number;
}

export class Bodies {
  readonly #max: BodyLimits;
  #bytes = 0;

  constructor(max: BodyLimits = { list: tagBytesMax, all: allBytesMax }) {
    this.#max = max;
  }

  /** @throws DiscoError `bad-json`, `bad-url`, `body-too-large`, `too-busy`, `cut-off` */
  async urls(request: IncomingMessage): Promise<UrlText[]> {
    const reader = new UrlListReader();
    let bytes = 0;
    assertSize(Number(request.headers["content-length"] ?? 0), this.#max.list);
    try {
      for await (const chunk of chunksOf(request)) {
        bytes += chunk.length;
        this.#bytes += chunk.length;
        assertSize(bytes, this.#max.list);
        if (this.#bytes > this.#max.all) {
          throw new DiscoError("too many lists are being read", { code: "too-busy", retry: "here" });
        }
        reader.push(chunk);
      }
      return reader.end();
    } finally {
      this.#bytes -= bytes;
    }
  }

  /** @throws DiscoError `bad-json`, `body-too-large`, `cut-off` */
  async value(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    assertSize(Number(request.headers["content-length"] ?? 0), valueBytesMax);
    for await (const chunk of chunksOf(request)) {
      bytes += chunk.length;
      assertSize(bytes, valueBytesMax);
      chunks.push(chunk);
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    } catch (cause) {
      throw new DiscoError(`the body is no JSON: ${(cause as Error).message}`, { code: "bad-json", cause });
    }
  }
}

async function* chunksOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // The request is left as it is: destroyed, it would take the connection along, and the answer with it.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new DiscoError("the connection ended before the body did", { code: "cut-off", cause });
  }
}

function assertSize(bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  throw new DiscoError(`a body of at most ${bytesMax} bytes was expected`, {
    code: "body-too-large",
    hint: "Add the URLs in several requests: each is put before those that are there.",
  });
}
