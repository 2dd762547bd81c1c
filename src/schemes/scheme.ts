/**
 * Where inputs lie. A scheme opens an address as a stream of bytes; it knows nothing of what the bytes mean.
 *
 * A byte source can be read once, synchronously (in a worker, whose loop over records must never wait for a promise) or
 * asynchronously (in a client, whose event loop must not stand still), not both.
 */

/**
 * The method of a synchronous source that gives its chunks in one piece of memory, used again and again: a chunk is valid until
 * the next one is asked for. For readers that copy anyway; fresh memory for each chunk costs page faults and collections.
 */
export const lend = Symbol("lend");

export interface Lender {
  [lend](): IterableIterator<Uint8Array>;
}

export interface ByteSource extends Iterable<Uint8Array>, AsyncIterable<Uint8Array>, Partial<Lender> {
  /** The address, as it was asked for. */
  readonly url: string;
  /** Bytes, as far as known when it was opened; else 0. */
  readonly size: number;
}

/** What addresses depend on besides themselves. */
export interface SchemeContext extends KnownServers {
  /** Name of this node: its own `disco://` addresses are files. */
  readonly host?: string;
  /** Absolute path of this node's data directory. */
  readonly dataDir?: string;
  /** Bytes that a file of a node must have, where an index says so: a server that announces another number is not believed. */
  readonly size?: number;
  /** `true`: a server that cannot be reached at once is not waited for. */
  readonly isHasty?: boolean;
  /** Told the address of a blob of this node that is damaged. */
  readonly damaged?: (url: string) => void;
}

/** How other machines are reached. */
export interface KnownServers {
  /** Base URL of a data server by node name, or by `HOST:PORT` as in addresses; default `http://HOST:8989`. */
  readonly dataServers?: Readonly<Record<string, string>>;
  /** Base URL of a node's own data server, by the master's `HOST:PORT` as in addresses, and the node's name. It may be out of reach. */
  readonly nodeAt?: (master: string, node: string) => string | undefined;
  /** Base URL of a master through which all nodes are reached (`DISCO_PROXY`). */
  readonly proxy?: string;
  /** The token for a server, by the origin of its URL: `http://host:8989`. It is shown to that server alone. */
  readonly token?: (origin: string) => string | undefined;
}

export interface Scheme {
  /** Throws `DataError` when the address is bad or leads nowhere; schemes over a network may find that out later. */
  open(url: string, context: SchemeContext): ByteSource;
}
