import { own } from "../own.ts";
import { type Decoder, decode } from "./decoder.ts";

const identity: Decoder<Uint8Array> = {
  push: (chunk) => (chunk.length === 0 ? [] : [chunk]),
  end: () => [],
};

/** Entries are the chunks of an input as they come: `Uint8Array`s of no fixed size, none of them empty. */
export const bytesReader = own(
  "bytesReader",
  (stream: Iterable<Uint8Array>, _size: number, _url: string, _params?: unknown): IterableIterator<Uint8Array> =>
    decode(stream, identity, "bytesReader"),
);
