/**
 * Streams of JetStream, in the small part of its API that every server since 2.9.10 does right:
 *
 * - publish with "expected last sequence" of the *stream* (comparison by subject was not atomic below 2.9.21);
 * - get one message by sequence, or the last of a subject, from the stream's leader (`allow_direct` lets followers answer, who
 *   may be behind);
 * - purge up to a sequence, or of one subject.
 *
 * Consumers, time to live of messages, key-value buckets, de-duplication and direct reads are not used: the first skipped acknowledged
 * messages after a network partition, the others are ignored without a word by servers that do not know them.
 */
import type { Msg } from "@nats-io/transport-node";
import type { NatsEngine } from "./connection.ts";
import { type ApiFault, apiError, isNoMessage, requestError } from "./failures.ts";

export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  /** Value of the header `Dj-Form`; `""`: none. */
  readonly form: string;
}

export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly num_replicas: number;
  readonly [setting: string]: unknown;
}

export interface StreamState {
  readonly config: StreamConfig;
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly messages: number;
    readonly bytes: number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
  /** Names of the servers that keep it. */
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly name: string }[] };
}

/** Whoever waits longer than this for the engine is told that the outcome is not known. */
const requestTimeoutMs = 3_000;
const publishTimeoutMs = 5_000;
const formHeader = "Dj-Form";
/** Of headers and subject, below the server's limit for a whole message. */
const headersBytesMax = 1_024;
const payloadBytesByDefault = 1024 * 1024;

export class NatsStream {
  readonly name: string;
  readonly #engine: NatsEngine;

  constructor(engine: NatsEngine, name: string) {
    this.#engine = engine;
    this.name = name;
  }

  /** Bytes that fit in one message. */
  get payloadBytesMax(): number {
    return (this.#engine.connection.info?.max_payload ?? payloadBytesByDefault) - headersBytesMax;
  }

  /** Returns the message's sequence. @throws NatsFault, CommError: whether it was stored is not known then */
  async publish(subject: string, data: Uint8Array, options: { expect?: number; form?: string } = {}): Promise<number> {
    const headers = this.#engine.headers();
    headers.set("Nats-Expected-Stream", this.name);
    if (options.expect !== undefined) headers.set("Nats-Expected-Last-Sequence", `${options.expect}`);
    if (options.form !== undefined) headers.set(formHeader, options.form);
    const answer = await this.#ask(subject, data, publishTimeoutMs, headers);
    return (answer as { readonly seq: number }).seq;
  }

  /** The message with this sequence, or `null`. */
  async get(seq: number): Promise<StoredMessage | null> {
    return this.#message({ seq });
  }

  /** The last message of a subject, or `null`. */
  async last(subject: string): Promise<StoredMessage | null> {
    return this.#message({ last_by_subj: subject });
  }

  /** Forgets messages below the sequence. */
  async purgeBelow(seq: number): Promise<void> {
    await this.#api(`STREAM.PURGE.${this.name}`, { seq });
  }

  /** Forgets a subject's messages below the sequence. */
  async purgeSubjectBelow(subject: string, seq: number): Promise<void> {
    await this.#api(`STREAM.PURGE.${this.name}`, { filter: subject, seq });
  }

  async purgeSubject(subject: string): Promise<void> {
    await this.#api(`STREAM.PURGE.${this.name}`, { filter: subject });
  }

  /** With the number of messages of each subject that matches, if asked for. @throws NatsFault when there is no such stream */
  async info(subjects?: string): Promise<StreamState> {
    return this.#api(`STREAM.INFO.${this.name}`, subjects === undefined ? {} : { subjects_filter: subjects });
  }

  async create(config: StreamConfig): Promise<StreamState> {
    return this.#api(`STREAM.CREATE.${this.name}`, config);
  }

  async update(config: StreamConfig): Promise<StreamState> {
    return this.#api(`STREAM.UPDATE.${this.name}`, config);
  }

  async #message(query: object): Promise<StoredMessage | null> {
    try {
      const { message } = await this.#api<{ message: RawMessage }>(`STREAM.MSG.GET.${this.name}`, query);
      const form = new RegExp(`^${formHeader}: *(.*)\r$`, "m").exec(
        Buffer.from(message.hdrs ?? "", "base64").toString(),
      );
      return {
        seq: message.seq,
        subject: message.subject,
        data: Buffer.from(message.data ?? "", "base64"),
        form: form?.[1] ?? "",
      };
    } catch (error) {
      if (isNoMessage(error)) return null;
      throw error;
    }
  }

  async #api<T>(subject: string, query: object): Promise<T> {
    const bytes = Buffer.from(JSON.stringify(query));
    return (await this.#ask(`$JS.API.${subject}`, bytes, requestTimeoutMs)) as T;
  }

  async #ask(
    subject: string,
    data: Uint8Array,
    timeout: number,
    headers?: ReturnType<NatsEngine["headers"]>,
  ): Promise<unknown> {
    let reply: Msg;
    try {
      reply = await this.#engine.connection.request(subject, data, {
        timeout,
        ...(headers === undefined ? {} : { headers }),
      });
    } catch (cause) {
      throw requestError(cause, this.#engine.shown);
    }
    const answer = reply.json<{ readonly error?: ApiFault }>();
    if (answer.error !== undefined) throw apiError(answer.error, this.name);
    return answer;
  }
}

interface RawMessage {
  readonly seq: number;
  readonly subject: string;
  /** Base64, as `hdrs`. */
  readonly data?: string;
  readonly hdrs?: string;
}
