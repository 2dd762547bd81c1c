/** A replica at another node, taken whole: its length and digest, as that node announces them, and as they should be. */
import type { IncomingMessage } from "node:http";
import type { Expected } from "../../blobs/blobs.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import { CommError, DataError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { pathOf, pathSegments } from "../data-server/request-path.ts";
import type { Peers } from "../fetch/peers.ts";
import { digestIn } from "./digest-header.ts";

export interface FetchedBlob {
  readonly peers: Peers;
  readonly signal: AbortSignal;
  /** Takes the bytes, and throws when they are not as expected. */
  readonly into: (body: AsyncIterable<Uint8Array>, expected: Expected) => Promise<StoredBlob>;
  /** SHA-256 in hex that it has to have; `null`: what the node says. */
  readonly digest: string | null;
}

/** @throws CommError `unknown-peer`, `peer-unreachable`, `bad-reply`; DataError `no-such-blob`; what `into` throws */
export async function fetchBlob(source: string, { peers, signal, into, digest }: FetchedBlob): Promise<StoredBlob> {
  const address = parseBlobAddress(source);
  if (address === null) throw new DataError(`${source} is not the address of a blob`, { code: "bad-url", url: source });
  const { host, volume, object } = address;
  const path = pathOf(pathSegments(new URL(replicaAddress(host, volume, object)).pathname) ?? []);
  const reply = await peers.ask(peers.urlOf(host) + path, { method: "GET", signal });
  try {
    if (reply.statusCode === 404) throw new DataError(`${source} is not there`, { code: "no-such-blob", url: source });
    const told = digestIn(reply.headers);
    if (reply.statusCode !== 200 || told === null) {
      throw new CommError(`${host} answers ${reply.statusCode} for ${object}`, { code: "bad-reply", node: host });
    }
    const length = reply.headers["content-length"];
    const size = length === undefined ? {} : { size: Number(length) };
    return await into(bytesOf(reply, host), { ...size, digest: digest ?? told });
  } finally {
    reply.destroy();
  }
}

/** A break of the connection is the other node's affair, as none of the disk's errors is. */
async function* bytesOf(reply: IncomingMessage, host: string): AsyncGenerator<Buffer, void, undefined> {
  const chunks = reply.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await chunks.next();
    } catch (cause) {
      throw new CommError(`${host} broke off: ${(cause as Error).message}`, { code: "peer-unreachable", cause });
    }
    if (next.done === true) return;
    yield next.value;
  }
}
