/**
 * Questions to the master: an operation of the API, asked until it is answered.
 *
 * Q1. Every operation may be asked again: those that change something do the same a second time (a submission by its key).
 * Q2. Before the first answer of a master, little patience: most probably the address is wrong.
 * Q3. A master that does not answer may be back at another port: where its own record is at hand, that counts.
 * Q4. Of several masters any will do: one that does not answer, or knows none that leads, is left for the next (`rounds.ts`).
 * Q5. What is not transient is an error at once: a refusal, a certificate, a server that is no Disco.
 */
import { randomUUID } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import * as v from "valibot";
import { CommError, DiscoError } from "../../errors.ts";
import {
  type AnswerOf,
  apiBase,
  type BodyOf,
  type Operation,
  type ParamsOf,
  type QueryOf,
} from "../../protocol/api/operation.ts";
import { Connection, type Exchange, type Reply } from "./connection.ts";
import { isTransientStatus, noAnswer, notDisco, otherVersion, reasonOf, refusalOf, speaksOnlyTls } from "./failures.ts";
import { Interrupted, isHangUp } from "./interrupted.ts";
import { OutageWatch } from "./outages.ts";
import { Retries, retryAfterSeconds } from "./retries.ts";
import { Masters } from "./rounds.ts";
import { speaksTls } from "./tls-probe.ts";

/** What is asked and no long poll is answered within this, or its server is gone. */
const questionIdleMs = 60_000;
/** The address of a master where nobody ever answered is given up after so long. */
const firstContactMs = 3_000;
/** Of masters that answer, and can do nothing now that another one could not do at once. */
const helpless: ReadonlySet<string> = new Set([
  "no-leader",
  "not-leading",
  "deposed",
  "stopping",
  "closed",
  // It may be cut off from the engine, and another one not.
  "engine-away",
]);

export interface QuestionOptions {
  /** Of the masters, without a slash at their end. */
  readonly urls: readonly [string, ...string[]];
  /** As the user gave it, for messages. */
  readonly shown: string;
  readonly token?: string | undefined;
  readonly retryMs: number;
}

/** Where the master serves by now, of the same protocol; `null`: not known. */
export type Locate = () => Promise<string | null>;

/** The parts of one question. */
export interface Asked<O extends Operation> {
  readonly params?: ParamsOf<O>;
  readonly query?: Partial<QueryOf<O>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyOf<O>;
  readonly bytes?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** It is held by the server, for so long. */
  readonly heldMs?: number;
  /** The answer is a stream, which is dead when it is silent for so long. */
  readonly silenceMs?: number;
}

/** `path` is below the API. `idleMs`: default 60,000. */
export type Question = Omit<Exchange, "idleMs"> & { readonly idleMs?: number };

export class Questions {
  readonly options: QuestionOptions;
  readonly #connection: Connection;
  readonly #closing = new AbortController();
  readonly #outages: OutageWatch;
  readonly #masters: Masters;
  #locate: Locate | null = null;
  #moved: (url: string) => void = () => undefined;
  #hasAnswered = false;

  constructor(options: QuestionOptions) {
    this.options = options;
    this.#masters = new Masters(options.urls);
    this.#outages = new OutageWatch(options.shown);
    const { current, several } = this.#masters;
    this.#connection = new Connection(current, options.token, { isOneOfSeveral: several });
  }

  /** Where the master is that is asked at present: by its address, or where it moved to. */
  get url(): string {
    return this.#masters.current;
  }

  /** From now on `locate` is asked whenever the master does not answer. */
  locateBy(locate: Locate): void {
    this.#locate = locate;
  }

  /** From now on `moved` hears which of several masters is asked, whenever that is another one. */
  onMove(moved: (url: string) => void): void {
    this.#moved = moved;
  }

  /** Asks until it is answered. @throws CommError, or what the master says is wrong */
  async ask<O extends Operation>(operation: O, asked: Asked<O> = {}): Promise<AnswerOf<O>> {
    return await this.attempt(asked.signal, async () => {
      const reply = await this.open(operation, asked);
      const body = await readAll(reply, text);
      if (operation.answer.kind !== "json") return undefined as AnswerOf<O>;
      return this.#checked(operation, body) as AnswerOf<O>;
    });
  }

  /**
   * As `ask`, for what fails when it has been done before: where an answer was lost, an error with `doneCode` says that the
   * question had arrived.
   */
  async askOnceDone<O extends Operation>(operation: O, asked: Asked<O>, doneCode: string): Promise<void> {
    let attempts = 0;
    await this.attempt(asked.signal, async () => {
      attempts++;
      try {
        await readAll(await this.open(operation, asked), text);
      } catch (error) {
        if (attempts === 1 || !(error instanceof DiscoError) || error.code !== doneCode) throw error;
      }
    });
  }

  /** As `ask`, for bytes. */
  async askBytes<O extends Operation>(operation: O, asked: Asked<O> = {}): Promise<Uint8Array> {
    return await this.attempt(asked.signal, async () => readAll(await this.open(operation, asked), buffer));
  }

  /** A request below the API that is no operation, asked until it is answered, which it is by text. It may be asked again. */
  async askText(question: Question): Promise<string> {
    return await this.attempt(question.signal, async () => readAll(await this.request(question), text));
  }

  /** A request as it is, asked again only where it cannot have arrived, or may arrive twice. */
  async raw(exchange: Omit<Exchange, "idleMs">, mayRepeat: boolean): Promise<{ status: number; body: Uint8Array }> {
    return await this.attempt(
      undefined,
      async () => {
        const reply = await this.#send({ ...exchange, idleMs: questionIdleMs });
        return { status: reply.status, body: await readAll(reply, buffer) };
      },
      mayRepeat,
    );
  }

  /** Calls `exchange` until it does not fail, or fails for good. */
  async attempt<T>(signal: AbortSignal | undefined, exchange: () => Promise<T>, mayRepeat = true): Promise<T> {
    const retries = this.retries(signal);
    for (;;) {
      try {
        return await exchange();
      } catch (error) {
        await this.recover(error, retries, mayRepeat);
      }
    }
  }

  retries(signal?: AbortSignal): Retries {
    const all = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const { retryMs } = this.options;
    return new Retries({
      budgetMs: () => (this.#hasAnswered ? retryMs : Math.min(retryMs, firstContactMs)),
      signal: all,
    });
  }

  /** Waits before the next attempt, or throws what the failure means. */
  async recover(failure: unknown, retries: Retries, mayRepeat = true): Promise<void> {
    if (this.#closing.signal.aborted) throw closed();
    const { shown } = this.options;
    if (failure instanceof Interrupted) {
      if (!this.#hasAnswered && isHangUp(failure) && (await speaksTls(failure.master))) throw speaksOnlyTls(failure);
      const isLost = failure.isSent && !mayRepeat;
      retries.round.failed(failure.master, reasonOf(failure));
      if (!isLost && failure.isTransient && (await this.#again(failure.master, retries))) return;
      throw noAnswer(shown, failure, retries);
    }
    if (failure instanceof RefusedForNow) {
      const { error, master, retryAfter } = failure;
      retries.round.failed(master, error.message);
      // What stands before the master says that it is gone; one that cannot help says so itself. Others tell what they wait for.
      const isGone = error instanceof CommError && error.code === "comm-error";
      const isAgain =
        isGone || helpless.has(error.code)
          ? await this.#again(master, retries, { retryAfter, isMissed: isGone })
          : await retries.again(retryAfter);
      if (isAgain) return;
      throw error;
    }
    throw failure;
  }

  /** Sends the question; resolves with an answer of the 2xx. @throws Interrupted, RefusedForNow, DiscoError */
  async open<O extends Operation>(operation: O, asked: Asked<O>): Promise<Reply> {
    const { signal, heldMs, silenceMs, headers, bytes, body } = asked;
    const json = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
    return await this.request({
      method: operation.method,
      path: pathOf(operation, asked),
      headers: { ...(json === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: bytes ?? json ?? (operation.method === "GET" ? undefined : new Uint8Array(0)),
      signal,
      idleMs: silenceMs ?? (heldMs ?? 0) + questionIdleMs,
      lasts: heldMs !== undefined || silenceMs !== undefined,
    });
  }

  /** As `open`, of any path below the API. */
  async request({ path, idleMs = questionIdleMs, ...question }: Question): Promise<Reply> {
    const reply = await this.#send({ ...question, path: apiBase + path, idleMs });
    if (reply.status >= 200 && reply.status <= 299) return reply;
    const refusal = { ...reply, text: await readAll(reply, text) };
    const error = refusalOf(this.options.shown, refusal);
    if (!isTransientStatus(reply.status)) throw error;
    throw new RefusedForNow(error, reply.master, retryAfterSeconds(reply.headers["retry-after"]));
  }

  close(): void {
    this.#closing.abort();
    this.#outages.end("closed");
    this.#connection.close();
  }

  async #send(exchange: Exchange): Promise<Reply> {
    if (this.#closing.signal.aborted) throw closed();
    const reply = await this.#connection.send(exchange);
    this.#hasAnswered = true;
    if (!isTransientStatus(reply.status)) this.#outages.end("answered");
    return reply;
  }

  /**
   * As `Retries.again`, of a master that is not there; where there are others, the next one is asked first. Nobody misses a master that
   * never answered.
   */
  async #again(
    master: string,
    retries: Retries,
    { retryAfter = null, isMissed = true }: { retryAfter?: number | null; isMissed?: boolean } = {},
  ): Promise<boolean> {
    const hasNext = this.#masters.leave(master, retries.round);
    this.#connection.move(this.#masters.current);
    if (this.#masters.several) this.#moved(this.#masters.current);
    if (hasNext) return true;
    if (this.#hasAnswered && isMissed) this.#outages.begin();
    if (!(await retries.again(retryAfter))) return false;
    const url = await this.#locate?.();
    if (url !== undefined && url !== null) {
      this.#masters.replace(url);
      this.#connection.move(url);
    }
    return true;
  }

  #checked(operation: Operation, body: string): unknown {
    const { shown } = this.options;
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch (cause) {
      throw notDisco(shown, `its answer to ${operation.path} is no JSON`, cause);
    }
    if (operation.answer.kind !== "json") return value;
    const result = v.safeParse(operation.answer.schema, value);
    if (result.success) return result.output;
    const [issue] = result.issues;
    const place = v.getDotPath(issue) ?? "the whole";
    throw otherVersion(shown, `its answer to ${operation.path} has another form (${place}: ${issue.message})`);
  }
}

/** The master, or a proxy, asks for patience. */
export class RefusedForNow extends Error {
  override name = "RefusedForNow";
  readonly error: DiscoError;
  /** Base URL of the master that said so. */
  readonly master: string;
  readonly retryAfter: number | null;

  constructor(error: DiscoError, master: string, retryAfter: number | null) {
    super(error.message);
    this.error = error;
    this.master = master;
    this.retryAfter = retryAfter;
  }
}

export function newKey(): string {
  return randomUUID();
}

/** Reads an answer to its end. @throws Interrupted when it breaks off */
async function readAll<T>({ body, master }: Reply, read: (stream: Reply["body"]) => Promise<T>): Promise<T> {
  try {
    return await read(body);
  } catch (error) {
    throw new Interrupted(error as Error, { isSent: true, master });
  }
}

function pathOf<O extends Operation>({ path }: O, { params, query }: Asked<O>): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params?.[name as never])));
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return filled;
  return `${filled}?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

function closed(): DiscoError {
  return new DiscoError("this Disco is closed", { code: "closed", hint: "Close it after the last job." });
}
