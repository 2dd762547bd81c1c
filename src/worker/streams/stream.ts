/**
 * Input and output streams: how bytes become entries and pairs become bytes.
 *
 * An input stream is a function that gets the stream of the function before it in the chain (the first one gets the bytes
 * of an input) and returns the next. It may return `[stream, size, url]` in order to change what the next one is told.
 */

import { type Lender, lend } from "../../schemes/scheme.ts";

/** A stream of `T`: synchronous where possible; async streams cost a promise a record. */
export type Stream<T> = Iterable<T> | AsyncIterable<T>;

/** `size` in bytes, 0 when unknown; `url` is the address being read. */
export type InputStream<In = Uint8Array, Out = unknown, Params = unknown> = (
  stream: Iterable<In>,
  size: number,
  url: string,
  params: Params,
) => Stream<Out> | readonly [stream: Stream<Out>, size: number, url: string];

/** What the first output stream of a chain writes to: a plain file of bytes. */
export interface ByteSink {
  /** Text is written as UTF-8. */
  write(chunk: Uint8Array | string): void;
}

/** What an output stream returns; the last one of a chain gets the pairs. */
export interface OutputStream {
  add(key: unknown, value: unknown): void;
  /** Needed where another output stream of the chain writes to this one. */
  write?(chunk: Uint8Array | string): void;
  /** Called once after the last pair, the last stream of the chain first. */
  close?(): void;
}

/** `url` is the address under which the output will be found. */
export type OutputStreamFactory<Params = unknown> = (
  stream: ByteSink,
  partition: number,
  url: string,
  params: Params,
) => OutputStream;

/** Deprecated by the seed: writes one pair in a format of the user's own. */
export type Writer<Params = unknown> = (stream: ByteSink, key: unknown, value: unknown, params: Params) => void;

export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, Symbol.iterator) === "function";
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, Symbol.asyncIterator) === "function";
}

export function isLender(value: object): value is Lender {
  return typeof (value as Partial<Lender>)[lend] === "function";
}
