/**
 * One request to S3 and its answer: signed, limited in time, sent again where that may help. What cannot be helped is a `DataError`
 * with the remedy, or a `CommError` where nobody answers.
 *
 * All requests may be sent twice: those that write say what must be true of the object (`If-None-Match`), or write the same again.
 */
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { CommError } from "../errors.ts";
import type { Account } from "./account.ts";
import { isPassing, type Refusal, refusalBytesMax, refusalOf, refusedError } from "./failure.ts";
import { attemptsMax, type Pause, pauseMsAfter, RetryBudget, realPause } from "./retries.ts";

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body in hex, where it is known: the server compares. */
  readonly bodyDigest?: string;
  /** Statuses besides 2xx that are answers, and no failures. */
  readonly taken?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface S3Answer {
  readonly status: number;
  header(name: string): string | null;
  readonly body: Readable;
  text(): Promise<string>;
  /** Nothing more of it is read. */
  drop(): void;
}

export interface ConnectionParts {
  readonly account: Account;
  readonly pause?: Pause;
  readonly random?: () => number;
  /** Until the head of an answer is there, besides what sending takes. Milliseconds. */
  readonly answerMsMax?: number;
  /** Without a byte of its body. Milliseconds. */
  readonly idleMsMax?: number;
}

const answerMsMax = 60_000;
const idleMsMax = 30_000;
/** A link that is slower than this is as good as none. */
const slowestBytesPerMs = 64;
/** Idle connections end with the process, and are lent to requests of all connections. */
const plainAgent = new http.Agent({ keepAlive: true });
const tlsAgent = new https.Agent({ keepAlive: true });
/** SHA-256 of nothing. */
const emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

export class S3Connection {
  readonly #account: Account;
  readonly #pause: Pause;
  readonly #random: () => number;
  readonly #answerMsMax: number;
  readonly #budget = new RetryBudget();
  /** Keys for signing, which cost four hashes. */
  readonly #cache = new Map<string, ArrayBuffer>();
  readonly #idleMsMax: number;

  constructor(parts: ConnectionParts) {
    this.#account = parts.account;
    this.#pause = parts.pause ?? realPause;
    this.#random = parts.random ?? Math.random;
    this.#answerMsMax = parts.answerMsMax ?? answerMsMax;
    this.#idleMsMax = parts.idleMsMax ?? idleMsMax;
  }

  /** @throws DataError `no-such-bucket`, `no-such-file`, `s3-access`, `wrong-region`, `clock-skew` …; CommError `s3-unreachable` */
  async send(request: S3Request): Promise<S3Answer> {
    for (let attempt = 1; ; attempt++) {
      let trouble: Refusal | Error;
      let retryAfter: string | null = null;
      try {
        const answer = await this.#sendOnce(request);
        if ((answer.status >= 200 && answer.status < 300) || request.taken?.includes(answer.status) === true) {
          this.#budget.succeeded();
          return answer;
        }
        retryAfter = answer.header("retry-after");
        const refusal = refusalOf(answer.status, answer.header, await answer.text().catch(() => ""));
        if (!isPassing(refusal)) throw refusedError(refusal, whatOf(request), this.#account.credentials !== null);
        trouble = refusal;
      } catch (error) {
        request.signal?.throwIfAborted();
        if (!(error instanceof Unanswered)) throw error;
        trouble = error;
      }
      await this.again(request, attempt, trouble, retryAfter);
    }
  }

  /** As `send`, with all of the answer's text; one that breaks off is asked for again. */
  async ask(request: S3Request): Promise<{ readonly answer: S3Answer; readonly text: string }> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.send(request);
      try {
        return { answer, text: await answer.text() };
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        await this.again(request, attempt, error);
      }
    }
  }

  /** Waits until the next attempt. @throws CommError `s3-unreachable` when there is none */
  async again(
    request: Pick<S3Request, "bucket" | "key" | "signal">,
    attempt: number,
    trouble: Refusal | Error,
    retryAfter: string | null = null,
  ): Promise<void> {
    const isLast = attempt >= attemptsMax;
    if (isLast || !this.#budget.take()) {
      const why =
        trouble instanceof Error
          ? trouble.message
          : `the server answered ${`${trouble.status} ${trouble.code}`.trim()}${trouble.message === "" ? "" : `: ${trouble.message}`}`;
      const tried = isLast ? `tried ${attempt} times` : "and so did many requests before: it is not asked again";
      throw new CommError(`${whatOf(request)}: ${why}, ${tried}`, {
        code: "s3-unreachable",
        url: whatOf(request),
        retry: "elsewhere",
        hint: "Check AWS_ENDPOINT_URL, AWS_REGION, and that the server can be reached from here.",
        ...(trouble instanceof Error ? { cause: trouble.cause } : {}),
      });
    }
    await this.#pause(pauseMsAfter(attempt, retryAfter, this.#random()), request.signal);
  }

  async #sendOnce(request: S3Request): Promise<S3Answer> {
    const { method, body, signal } = request;
    const { url, headers } = await this.#signed(request);
    const limitMs = this.#answerMsMax + (body?.length ?? 0) / slowestBytesPerMs;
    return await new Promise((resolve, reject) => {
      const isTls = url.startsWith("https:");
      const options = {
        method,
        headers,
        agent: isTls ? tlsAgent : plainAgent,
        ...(signal === undefined ? {} : { signal }),
      };
      const sent = (isTls ? https : http).request(url, options, (reply) => {
        clearTimeout(timer);
        resolve(this.#answer(reply));
      });
      const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
      sent.on("error", (error) => {
        clearTimeout(timer);
        reject(new Unanswered(error.message, { cause: error }));
      });
      sent.end(body);
    });
  }

  #answer(reply: http.IncomingMessage): S3Answer {
    // Whoever does not read it to its end hears of no error.
    reply.on("error", () => undefined);
    const header = (name: string): string | null => {
      const value = reply.headers[name];
      return typeof value === "string" ? value : null;
    };
    const status = reply.statusCode ?? 0;
    return {
      status,
      header,
      body: reply,
      text: async () => {
        const parts: Uint8Array[] = [];
        let length = 0;
        for await (const chunk of this.chunks(reply)) {
          parts.push(chunk);
          length += chunk.length;
          if (status >= 300 && length > refusalBytesMax) break;
        }
        return Buffer.concat(parts).toString("utf8");
      },
      drop: () => {
        // What is short is read, which keeps the connection.
        if (Number(header("content-length") ?? Number.POSITIVE_INFINITY) <= refusalBytesMax) reply.resume();
        else reply.destroy();
      },
    };
  }

  /** The bytes of an answer. @throws Unanswered when they break off, or none comes for too long */
  async *chunks(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    let isDone = false;
    try {
      for (;;) {
        const { done, value } = await this.#next(chunks);
        isDone = done === true;
        if (done === true) return;
        yield value;
      }
    } finally {
      if (!isDone) body.destroy();
    }
  }

  async #next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    let timer: NodeJS.Timeout | undefined;
    const idle = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unanswered(`no data for ${this.#idleMsMax / 1000} s`)), this.#idleMsMax);
    });
    try {
      return await Promise.race([chunks.next(), idle]);
    } catch (error) {
      if (error instanceof Unanswered) throw error;
      throw new Unanswered(`the connection was cut (${(error as Error).message})`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #signed(request: S3Request): Promise<{ url: string; headers: Record<string, string> }> {
    const { method, headers = {}, body, bodyDigest } = request;
    const url = urlOf(this.#account, request);
    const { credentials, region } = this.#account;
    const digest = bodyDigest ?? (body === undefined || body.length === 0 ? emptyDigest : await sha256(body));
    const sent = new Headers({ ...headers, "x-amz-content-sha256": digest });
    if (credentials === null) return { url, headers: Object.fromEntries(sent) };
    const { AwsV4Signer } = await import("aws4fetch");
    const signer = new AwsV4Signer({
      method,
      url,
      headers: sent,
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === null ? {} : { sessionToken: credentials.sessionToken }),
      service: "s3",
      region,
      cache: this.#cache,
    });
    const signed = await signer.sign();
    return { url: signed.url.href, headers: Object.fromEntries(signed.headers) };
  }
}

/** The connection broke, or nobody is there. */
export class Unanswered extends Error {
  override name = "Unanswered";
}

/** Hosts named like the bucket where Amazon is meant, paths everywhere else (and for names that no certificate would fit). */
export function urlOf(
  { endpoint, region }: Account,
  { bucket, key, query = {} }: Pick<S3Request, "bucket" | "key" | "query">,
): string {
  const domain = `s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const isHost = endpoint === null && /^[a-z0-9-]+$/.test(bucket);
  const base = isHost ? `https://${bucket}.${domain}` : `${endpoint ?? `https://${domain}`}/${bucket}`;
  const search = Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return `${base}/${key.split("/").map(encoded).join("/")}${search.length === 0 ? "" : `?${search.join("&")}`}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function whatOf({ bucket, key }: Pick<S3Request, "bucket" | "key">): string {
  return key === "" ? `s3://${bucket}` : `s3://${bucket}/${key}`;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(bytes).digest("hex");
}
