/** The master's own DDFS over nodes in memory, which fail when a test says so. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { BlobAddress } from "../../core/ddfs/names.ts";
import { Tags } from "../../core/ddfs/tags.ts";
import { type Collection, Ddfs } from "../../ddfs/ddfs.ts";
import type { Decider } from "../../ddfs/decider.ts";
import type { NodeBlobs } from "../../ddfs/node-blobs.ts";
import { TagService } from "../../ddfs/tag-service.ts";
import { CommError, DiscoError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { DDFS } from "./ddfs.ts";
import type { BlobTarget, DdfsApi, NodeSpace, PutBlob } from "./ddfs-api.ts";

const none = async (): Promise<never> => assert.fail("not asked for here");
const collection: Collection = {
  gcStart: none,
  gcStatus: none,
  gcStats: none,
  safeGcBlacklist: none,
  scrubStart: none,
  scrubStatus: none,
  async *fsck() {},
};

export class MemoryNodes implements NodeBlobs {
  readonly hosts: string[];
  /** By host and object. */
  readonly files = new Map<string, Buffer>();
  /** Objects of which an upload began, in order. */
  readonly begun: string[] = [];
  /** Called before each chunk that a node takes; what it throws is the node's failure. */
  onChunk: (host: string, received: number) => void | Promise<void> = () => {};
  /** Called with what a node is to give; may change it, or throw. */
  onOpen: (host: string, bytes: Buffer) => Iterable<Uint8Array> = (_host, bytes) => chunksOf(bytes, 64 * 1024);
  /** Nodes that say they stored something else. */
  readonly liars = new Set<string>();

  constructor(hosts: readonly string[]) {
    this.hosts = [...hosts];
  }

  spaces = async (): Promise<NodeSpace[]> =>
    this.hosts.map((host) => {
      const volumes = [{ volume: "vol0", freeBytes: 1e12, usedBytes: 0, trouble: null }];
      return { host, connected: true, leaving: false, volumes };
    });

  urlFor = (host: string, object: string): string => `http://${host}:8989/ddfs/${object}`;

  async put({ host, object }: BlobTarget, body: AsyncIterable<Uint8Array>, options: PutBlob): Promise<StoredBlob> {
    this.begun.push(`${host} ${object}`);
    const chunks: Uint8Array[] = [];
    let received = 0;
    await this.onChunk(host, 0);
    for await (const chunk of body) {
      options.signal?.throwIfAborted();
      received += chunk.length;
      await this.onChunk(host, received);
      chunks.push(Uint8Array.from(chunk));
    }
    const bytes = Buffer.concat(chunks);
    if (options.size !== undefined && options.size !== bytes.length)
      throw new DiscoError("another length", { code: "cut-off", retry: "here" });
    this.files.set(`${host} ${object}`, bytes);
    const stored = this.#stored(host, object) as StoredBlob;
    return this.liars.has(host) ? { ...stored, digest: "0".repeat(64) } : stored;
  }

  async open({ host, object }: BlobAddress): ReturnType<NodeBlobs["open"]> {
    const bytes = this.files.get(`${host} ${object}`);
    if (bytes === undefined) return null;
    const { digest } = this.#stored(host, object) as StoredBlob;
    return { size: bytes.length, digest, body: Readable.from(this.onOpen(host, bytes), { objectMode: true }) };
  }

  stat = async ({ host, object }: BlobAddress): Promise<StoredBlob | null> => this.#stored(host, object);

  #stored(_host: string, object: string): StoredBlob | null {
    const bytes = this.files.get(`${_host} ${object}`);
    if (bytes === undefined) return null;
    const digest = createHash("sha256").update(bytes).digest("hex");
    return { object, volume: "vol0", size: bytes.length, digest, storedAt: 1 };
  }
}

export function* chunksOf(bytes: Uint8Array, size = 1000): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

export function down(host: string, retry: "here" | "never" = "here"): CommError {
  return new CommError(`${host} is down`, { node: host, retry });
}

export interface Kit {
  readonly ddfs: DDFS;
  readonly api: DdfsApi;
  readonly nodes: MemoryNodes;
}

export function openKit(hosts: readonly string[] = ["a", "b", "c"], replicas = 1): Kit {
  const tags = new Tags();
  const decider: Decider = {
    machine: { tags, gcBlacklist: new Set() },
    record: (events) => {
      for (const event of events) tags.handle(event);
    },
    committed: async () => undefined,
    assured: async () => undefined,
    assertRoom: () => undefined,
  };
  const nodes = new MemoryNodes(hosts);
  const api = new Ddfs({
    decider,
    collection,
    tags: new TagService({ decider, now: () => 1_000, delayMs: 5 }),
    replicas: () => replicas,
    reserveBytes: 10,
    host: "m",
    now: () => 1_000,
    nodes,
  });
  const ddfs = DDFS.at({ master: async () => ({ ddfs: api }) as never, close: async () => undefined });
  return { ddfs, api, nodes };
}
