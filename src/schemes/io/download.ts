/**
 * One HTTP input, downloaded whatever happens on the way: a cut connection is resumed where it broke off, and what comes then
 * is known to be the same file: either the server confirms it (`Range` with `If-Range`), or it sends everything again
 * and the bytes we have already are compared by their checksum. Anything else is an error; wrong data never is read.
 *
 * A file of a node's is checked as a whole too: by the size that an index gives, before the first byte is passed on, and by
 * the digest that the server sends (`Repr-Digest`), behind the last one.
 *
 * A shortcut (the node, where the address names its master) is tried first, once, and left at its first failure of whatever kind:
 * it may be out of reach from here, or another machine's name there. Then that server is passed over for a minute.
 */
import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ChunkWriter } from "./chunk-writer.ts";
import { type Reply, request } from "./http-request.ts";
import { Inflater } from "./inflate.ts";
import { contentEncodings, type Download, IoError } from "./messages.ts";

/** Attempts in a row that brought not one new byte. */
const fruitlessMax = 5;
/** A server that cuts the connection every few bytes has to be given up at some time. */
const resumesMax = 200;
const firstBackoffMs = 100;
const backoffMsMax = 3_000;
const shortcutConnectMs = 2_000;
const passedOverMs = 60_000;
/** Until when, by the clock of `performance.now()`, shortcuts by these origins are not taken. */
const passedOver = new Map<string, number>();

export async function download(task: Download, out: ChunkWriter, signal: AbortSignal): Promise<void> {
  const { name, isHasty } = task;
  const body = new Body(task, out, signal);
  if (await body.fetchByShortcut()) return;
  let fruitless = 0;
  for (let attempt = 0; ; attempt++) {
    const before = body.received;
    try {
      await body.fetch();
      return;
    } catch (error) {
      if (signal.aborted || error instanceof IoError || !(error instanceof Interrupted)) throw error;
      fruitless = body.received > before ? 1 : fruitless + 1;
      const isGivenUp = isHasty && body.received === 0;
      if (isGivenUp || fruitless >= fruitlessMax || attempt >= resumesMax) {
        throw new IoError({
          kind: "data",
          code: "download-failed",
          message: `${name}: ${error.message}, tried ${attempt === 0 ? "once" : `${attempt + 1} times`}`,
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
  readonly #task: Download;
  #from: { readonly url: string; readonly token: string | null; readonly connectMs?: number };
  readonly #name: string;
  readonly #out: ChunkWriter;
  readonly #signal: AbortSignal;
  #inflater: Inflater | null = null;
  #validator: string | null = null;
  /** Length of the whole body as the server announced it. */
  #total: number | null = null;
  #checksum = 0;
  /** What the server says that SHA-256 of the whole is, in base64. */
  #digest: string | null = null;
  #hash: Hash | null = null;
  #begun = false;
  /** Bytes of the body that have been passed on. */
  received = 0;

  constructor(task: Download, out: ChunkWriter, signal: AbortSignal) {
    this.#task = task;
    this.#from = task;
    this.#name = task.name;
    this.#out = out;
    this.#signal = signal;
  }

  /** `false`: there is no shortcut, or it led no further than to where `fetch` goes on. */
  async fetchByShortcut(): Promise<boolean> {
    const { shortcut, url, token } = this.#task;
    const origin = shortcut === null ? "" : new URL(shortcut.url).origin;
    if (shortcut === null || (passedOver.get(origin) ?? 0) > performance.now()) return false;
    this.#from = { ...shortcut, connectMs: shortcutConnectMs };
    try {
      await this.fetch();
      return true;
    } catch (error) {
      // What contradicts itself is not read on from elsewhere, which could not make it right.
      if (this.#signal.aborted || (this.#begun && !(error instanceof Interrupted))) throw error;
      passedOver.set(origin, performance.now() + passedOverMs);
    }
    this.#from = { url, token };
    return false;
  }

  /** One attempt, from where the last one broke off to the end. */
  async fetch(): Promise<void> {
    const headers: Record<string, string> = { "accept-encoding": "identity" };
    if (this.#task.file !== null) headers["want-repr-digest"] = "sha-256=1";
    // Without a validator nobody can say whether the rest belongs to what we have: begin again and compare.
    if (this.received > 0 && this.#validator !== null) {
      headers["range"] = `bytes=${this.received}-`;
      headers["if-range"] = this.#validator;
    }
    let reply: Reply;
    try {
      reply = await request({ ...this.#from, headers, signal: this.#signal }, () => this.#out.blocked);
    } catch (error) {
      throw this.#interrupted(error);
    }
    try {
      const skip = this.#checkHead(reply);
      await this.#read(reply, skip);
    } finally {
      reply.body.destroy();
    }
    this.#checkDigest();
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
    if (status !== 200) throw this.#refused(reply);
    const length = reply.header("content-length");
    this.#checkTotal(length === null ? null : Number(length));
    this.#checkFile(reply);
    if (this.#begun) {
      if (this.#validator !== null && validatorOf(reply) !== this.#validator) throw this.#changed();
    } else {
      this.#begun = true;
      this.#validator = validatorOf(reply);
      this.#digest = this.#task.file === null ? null : digestOf(reply);
      this.#hash = this.#digest === null ? null : createHash("sha256");
      this.#openEncoding(reply.header("content-encoding"));
    }
    return this.received;
  }

  #openEncoding(header: string | null): void {
    const coding = (header ?? "identity").trim().toLowerCase();
    if (coding === "identity" || coding === "") return;
    const format = contentEncodings[coding];
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
        this.#hash?.update(chunk);
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

  #refused({ status, reason }: Reply): IoError {
    const isGone = status === 404 || status === 410;
    const isClosed = status === 401 || status === 403;
    const message = `${this.#name}: the server answered ${status} ${reason}`.trimEnd();
    if (isClosed && this.#task.file !== null) {
      const hint = "Set DISCO_TOKEN, and DISCO_MASTER to the server that the token is for.";
      return new IoError({ kind: "data", code: "no-permission", message, hint });
    }
    const hint = "The job was purged, perhaps while its results were read, or the address is wrong.";
    return new IoError({
      kind: "data",
      code: isGone ? "not-found" : "bad-status",
      message,
      ...(isGone && this.#task.file !== null ? { hint } : {}),
    });
  }

  /** What is plainly not the file is refused before a byte of it is read: an error page that comes as a success, say. */
  #checkFile(reply: Reply): void {
    const { file } = this.#task;
    if (file === null) return;
    if (/^text\/html\b/i.test(reply.header("content-type") ?? "")) {
      throw new IoError({
        kind: "data",
        code: "not-a-file",
        message: `${this.#name}: the server sent a web page instead of the file`,
        hint: "Check that the address, or DISCO_PROXY, is that of a Disco server.",
      });
    }
    if (file.size !== null && this.#total !== null && this.#total !== file.size) {
      throw new IoError({
        kind: "data",
        code: "bad-length",
        message: `${this.#name} has ${this.#total} bytes instead of ${file.size}: it was cut off or changed`,
      });
    }
  }

  #checkDigest(): void {
    if (this.#hash === null || this.#hash.digest("base64") === this.#digest) return;
    throw new IoError({
      kind: "data",
      code: "bad-digest",
      message: `${this.#name}: the file is damaged (its SHA-256 is not the one that was written)`,
    });
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

/** SHA-256 in base64. */
function digestOf(reply: Reply): string | null {
  return /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(reply.header("repr-digest") ?? "")?.[1] ?? null;
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
