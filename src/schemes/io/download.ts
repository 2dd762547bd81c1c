/**
 * One HTTP input, downloaded whatever happens on the way: a cut connection is resumed where it broke off, and what comes then
 * is known to be the same file: either the server confirms it (`Range` with `If-Range`), or it sends everything again
 * and the bytes we have already are compared by their checksum. Anything else is an error; wrong data never is read.
 */
import { crc32 } from "node:zlib";
import type { ChunkWriter } from "./chunk-writer.ts";
import { type Reply, request } from "./http-request.ts";
import { Inflater } from "./inflate.ts";
import { type InflateFormat, IoError } from "./messages.ts";

/** Attempts in a row that brought not one new byte. */
const fruitlessMax = 5;
/** A server that cuts the connection every few bytes has to be given up at some time. */
const resumesMax = 200;
const firstBackoffMs = 100;
const backoffMsMax = 3_000;

const encodings: Readonly<Record<string, InflateFormat>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
  zstd: "zstd",
};

export async function download(url: string, name: string, out: ChunkWriter, signal: AbortSignal): Promise<void> {
  const body = new Body(url, name, out, signal);
  let fruitless = 0;
  for (let attempt = 0; ; attempt++) {
    const before = body.received;
    try {
      await body.fetch();
      return;
    } catch (error) {
      if (signal.aborted || error instanceof IoError || !(error instanceof Interrupted)) throw error;
      fruitless = body.received > before ? 1 : fruitless + 1;
      if (fruitless >= fruitlessMax || attempt >= resumesMax) {
        throw new IoError({
          kind: "data",
          code: "download-failed",
          message: `${name}: ${error.message}, tried ${attempt + 1} times`,
          hint: "Check the address, and that the server runs and can be reached from the node. A list of addresses as one input names replicas.",
        });
      }
    }
    await pause(Math.min(firstBackoffMs * 2 ** (fruitless - 1), backoffMsMax), signal);
  }
}

/** A failure that another attempt may cure. */
class Interrupted extends Error {
  override name = "Interrupted";
}

class Body {
  readonly #url: string;
  readonly #name: string;
  readonly #out: ChunkWriter;
  readonly #signal: AbortSignal;
  #inflater: Inflater | null = null;
  #validator: string | null = null;
  /** Length of the whole body as the server announced it. */
  #total: number | null = null;
  #checksum = 0;
  #begun = false;
  /** Bytes of the body that have been passed on. */
  received = 0;

  constructor(url: string, name: string, out: ChunkWriter, signal: AbortSignal) {
    this.#url = url;
    this.#name = name;
    this.#out = out;
    this.#signal = signal;
  }

  /** One attempt, from where the last one broke off to the end. */
  async fetch(): Promise<void> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    // Without a validator nobody can say whether the rest belongs to what we have: begin again and compare.
    if (this.received > 0 && this.#validator !== null) {
      headers["range"] = `bytes=${this.received}-`;
      headers["if-range"] = this.#validator;
    }
    let reply: Reply;
    try {
      reply = await request(this.#url, headers, this.#signal, () => this.#out.blocked);
    } catch (error) {
      throw this.#interrupted(error);
    }
    try {
      const skip = this.#checkHead(reply);
      await this.#read(reply, skip);
    } finally {
      reply.body.destroy();
    }
    await this.#inflater?.end();
  }

  /** Returns how many bytes of this reply we have already. */
  #checkHead(reply: Reply): number {
    const status = reply.status;
    if (status === 206 && this.received > 0) {
      const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(reply.header("content-range") ?? "");
      if (match === null || Number(match[1]) !== this.received) throw this.#changed();
      this.#checkTotal(match[2] === "*" ? null : Number(match[2]));
      return 0;
    }
    if (status >= 500 || status === 429 || status === 408)
      throw new Interrupted(`the server answered ${status} ${reply.reason}`);
    if (status === 416 && this.received > 0) throw this.#changed();
    if (status !== 200) {
      throw new IoError({
        kind: "data",
        code: status === 404 || status === 410 ? "not-found" : "bad-status",
        message: `${this.#name}: the server answered ${status} ${reply.reason}`.trimEnd(),
      });
    }
    const length = reply.header("content-length");
    this.#checkTotal(length === null ? null : Number(length));
    if (this.#begun) {
      if (this.#validator !== null && validatorOf(reply) !== this.#validator) throw this.#changed();
    } else {
      this.#begun = true;
      this.#validator = validatorOf(reply);
      this.#openEncoding(reply.header("content-encoding"));
    }
    return this.received;
  }

  #openEncoding(header: string | null): void {
    const coding = (header ?? "identity").trim().toLowerCase();
    if (coding === "identity" || coding === "") return;
    const format = encodings[coding];
    if (format === undefined) {
      throw new IoError({
        kind: "data",
        code: "bad-encoding",
        message: `${this.#name}: content-encoding ${coding} is unknown`,
      });
    }
    this.#inflater = new Inflater(format, this.#name, this.#out);
  }

  async #read(reply: Reply, skip: number): Promise<void> {
    let toSkip = skip;
    let skippedChecksum = 0;
    try {
      for await (const whole of reply.body as AsyncIterable<Uint8Array>) {
        let chunk = whole;
        if (toSkip > 0) {
          const known = chunk.subarray(0, toSkip);
          skippedChecksum = crc32(known, skippedChecksum);
          toSkip -= known.length;
          if (toSkip === 0 && skippedChecksum !== this.#checksum) throw this.#changed();
          chunk = chunk.subarray(known.length);
        }
        if (chunk.length === 0) continue;
        this.#checksum = crc32(chunk, this.#checksum);
        this.received += chunk.length;
        await (this.#inflater ?? this.#out).write(chunk);
      }
    } catch (error) {
      throw error instanceof IoError ? error : this.#interrupted(error);
    }
    if (toSkip > 0) throw this.#changed();
    if (this.#total !== null && this.received < this.#total) throw new Interrupted(this.#cutAt());
    if (reply.excess() !== null || (this.#total !== null && this.received > this.#total)) {
      throw new IoError({
        kind: "data",
        code: "bad-length",
        message: `${this.#name}: the server announced ${this.#total ?? this.received} bytes and sent more`,
      });
    }
  }

  #checkTotal(total: number | null): void {
    if (this.#begun && total !== null && this.#total !== null && total !== this.#total) throw this.#changed();
    this.#total ??= total;
  }

  #interrupted(error: unknown): Error {
    if (error instanceof IoError || error instanceof Interrupted) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new Interrupted(this.#begun ? `${this.#cutAt()} (${reason})` : `the server cannot be reached (${reason})`);
  }

  #cutAt(): string {
    return `the connection was cut at byte ${this.received}${this.#total === null ? "" : ` of ${this.#total}`}`;
  }

  #changed(): IoError {
    return new IoError({
      kind: "data",
      code: "input-changed",
      message: `${this.#name}: the file changed while it was read (at byte ${this.received})`,
    });
  }
}

/** A weak entity tag promises no equal bytes. */
function validatorOf(reply: Reply): string | null {
  const tag = reply.header("etag");
  if (tag !== null && !tag.startsWith("W/")) return tag;
  return reply.header("last-modified");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new Error("closed"));
    });
  });
}
