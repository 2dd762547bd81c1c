/**
 * Where inputs lie. A scheme opens an address as a stream of bytes; it knows nothing of what the bytes mean.
 *
 * A byte source can be read once, synchronously (in a worker, whose loop over records must never wait for a promise) or
 * asynchronously (in a client, whose event loop must not stand still), not both.
 */

export interface ByteSource extends Iterable<Uint8Array>, AsyncIterable<Uint8Array> {
  /** The address, as it was asked for. */
  readonly url: string;
  /** Bytes, as far as known when it was opened; else 0. */
  readonly size: number;
}

/** What addresses depend on besides themselves. */
export interface SchemeContext {
  /** Name of this node: its own `disco://` addresses are files. */
  readonly host?: string;
  /** Absolute path of this node's data directory. */
  readonly dataDir?: string;
  /** Base URL of the data server of each other node, by host; default `http://HOST:8989`. */
  readonly dataServers?: Readonly<Record<string, string>>;
}

export interface Scheme {
  /** Throws `DataError` when the address is bad or leads nowhere; schemes over a network may find that out later. */
  open(url: string, context: SchemeContext): ByteSource;
}
