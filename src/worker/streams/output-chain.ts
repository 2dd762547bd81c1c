/**
 * Output in a format of the user's own: one chain of output streams a partition, opened with its first pair, and at the end of
 * it a plain sink of bytes.
 */
import { DiscoError } from "../../errors.ts";
import { describe } from "../describe.ts";
import type { PairWriter } from "../emit.ts";
import type { ByteSink, OutputStream } from "./stream.ts";

export type AnyOutputStream = (stream: unknown, partition: number, url: string, params: unknown) => unknown;
export type AnyWriter = (stream: unknown, key: unknown, value: unknown, params: unknown) => unknown;

export interface OutputFormat {
  readonly chain: readonly { readonly name: string; readonly fn: AnyOutputStream }[];
  /** Deprecated: writes each pair to the last stream of the chain, or to the file itself. */
  readonly writer: AnyWriter | null;
  readonly params: unknown;
}

/** A sink that knows where its bytes will be found and is told when they are complete. */
export interface OutputFile extends ByteSink {
  readonly url: string;
  close(): void;
}

export class FormattedWriter implements PairWriter {
  readonly #format: OutputFormat;
  readonly #open: (partition: number) => OutputFile;
  readonly #outputs = new Map<number, Output>();

  constructor(format: OutputFormat, open: (partition: number) => OutputFile) {
    this.#format = format;
    this.#open = open;
  }

  add(partition: number, key: unknown, value: unknown): void {
    let output = this.#outputs.get(partition);
    if (output === undefined) {
      output = openOutput(this.#format, this.#open(partition), partition);
      this.#outputs.set(partition, output);
    }
    output.records++;
    output.add(key, value);
  }

  /** Closes all streams, the last of each chain first, and returns the number of pairs by partition. */
  finish(): ReadonlyMap<number, number> {
    const records = new Map<number, number>();
    const ascending = [...this.#outputs].sort(([a], [b]) => a - b);
    for (const [partition, output] of ascending) {
      for (const stream of output.chain.toReversed()) stream.close?.();
      output.file.close();
      records.set(partition, output.records);
    }
    return records;
  }
}

interface Output {
  readonly file: OutputFile;
  readonly chain: readonly OutputStream[];
  readonly add: (key: unknown, value: unknown) => void;
  records: number;
}

function openOutput(format: OutputFormat, file: OutputFile, partition: number): Output {
  const chain: OutputStream[] = [];
  const { writer, params } = format;
  let stream: unknown = { write: (chunk: Uint8Array | string) => file.write(chunk), url: file.url };
  for (const { name, fn } of format.chain) {
    const next = fn(stream, partition, file.url, params);
    if (typeof next !== "object" || next === null || (!hasMethod(next, "add") && !hasMethod(next, "write"))) {
      throw new DiscoError(
        `${name} returned ${describe(next)}, an output stream { add(key, value), close?() } was expected`,
        {
          code: "bad-result",
        },
      );
    }
    stream = next;
    chain.push(next as OutputStream);
  }
  if (writer !== null) {
    const to = stream;
    return { file, chain, add: (key, value) => void writer(to, key, value, params), records: 0 };
  }
  const last = chain.at(-1);
  if (last === undefined || !hasMethod(last, "add")) {
    const name = format.chain.at(-1)?.name ?? "the output stream";
    throw new DiscoError(`${name} returned a stream without add(key, value), and it is the last one`, {
      code: "bad-result",
    });
  }
  return { file, chain, add: (key, value) => last.add(key, value), records: 0 };
}

function hasMethod(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === "function";
}

/** Gathers small writes into chunks. */
export class ChunkedSink {
  readonly #emit: (chunk: Uint8Array) => void;
  #chunk = Buffer.allocUnsafeSlow(sinkChunkBytes);
  #used = 0;
  bytes = 0;

  /** Chunks belong to the receiver. */
  constructor(emit: (chunk: Uint8Array) => void) {
    this.#emit = emit;
  }

  write(data: Uint8Array | string): void {
    if (typeof data === "string") {
      // At most three bytes a UTF-16 unit: then the exact length need not be known.
      if (data.length * 3 <= this.#chunk.length - this.#used) {
        const written = this.#chunk.write(data, this.#used);
        this.#used += written;
        this.bytes += written;
        return;
      }
      this.#writeBytes(Buffer.from(data));
      return;
    }
    if (!(data instanceof Uint8Array)) {
      throw new DiscoError(`an output stream wrote ${describe(data)}, text or bytes were expected`, {
        code: "bad-result",
      });
    }
    this.#writeBytes(data);
  }

  flush(): void {
    if (this.#used === 0) return;
    const chunk = this.#chunk.subarray(0, this.#used);
    this.#chunk = Buffer.allocUnsafeSlow(sinkChunkBytes);
    this.#used = 0;
    this.#emit(chunk);
  }

  #writeBytes(data: Uint8Array): void {
    this.bytes += data.length;
    for (let at = 0; at < data.length; ) {
      const part = data.subarray(at, at + this.#chunk.length - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === this.#chunk.length) this.flush();
    }
  }
}

const sinkChunkBytes = 128 * 1024;
