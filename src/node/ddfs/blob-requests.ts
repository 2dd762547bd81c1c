/**
 * What masters have a node do with its blobs.
 *
 * BR1. The same message twice has the effect of one: masters ask again when an answer does not come.
 * BR2. Nothing is deleted for a collection of garbage that is older than one that was heard of, and nothing that is younger than the
 *      grace period by this node's clock.
 * BR3. What is copied or adopted is answered when it is on the disk, and its bytes are what they should be.
 */

import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Blobs } from "../../blobs/blobs.ts";
import { type NodeRequest, readNodeBlob } from "../../blobs/http/node-blob.ts";
import { type BlobAddress, parseBlobAddress } from "../../core/ddfs/names.ts";
import { CommError, DataError, DiscoError } from "../../errors.ts";
import { isIndexText } from "../../protocol/checksums.ts";
import type {
  AdoptFile,
  BlobPage,
  CopyBlob,
  DeleteBlobs,
  DeletedBlobs,
  ListBlobs,
  ScrubNode,
  ScrubStatus,
  StoredBlob,
  Verdict,
  VerifyBlob,
} from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import { parseIndex } from "../../schemes/dir.ts";
import { parseDiscoUrl } from "../../schemes/disco.ts";
import { type OpenedFile, openContained } from "../data-server/contained-file.ts";
import { pathOf, pathSegments } from "../data-server/request-path.ts";
import { jobDirectory } from "../job-directory.ts";
import type { BlobAnswers, BlobRequestParts } from "./blob-subjects.ts";
import { Scrubber } from "./scrubber.ts";

/** Of a page: at some 400 bytes each well below what a message may be. */
const pageMax = 1_000;
/** `HOST/hh/JOB/FILE` at least. */
const jobFileSegmentsMin = 4;
const readBytes = 1024 * 1024;
/** Times that the sources are tried while one of them may come. */
const roundsMax = 4;
const firstPauseMs = 200;
const awayCodes: ReadonlySet<string> = new Set(["unknown-peer", "peer-unreachable", "node-busy"]);
const ownFaults: ReadonlySet<string> = new Set(["disk-full", "no-volume", "blob-exists", "bad-name", "closed"]);

export class BlobRequests implements BlobAnswers {
  readonly #parts: BlobRequestParts;
  readonly #scrubber: Scrubber;
  readonly #closing = new AbortController();
  /** Copies that are being made, by object: who asks again waits for the same. */
  readonly #copies = new Map<string, Promise<StoredBlob>>();
  /** The highest number of a collection that was heard of. */
  #gc = 0;

  constructor(parts: BlobRequestParts) {
    this.#parts = parts;
    this.#scrubber = new Scrubber(parts);
  }

  async list({ gc = 0, hashes, after }: ListBlobs): Promise<BlobPage> {
    this.#gc = Math.max(this.#gc, gc);
    const { blobs } = this.#parts;
    const store = await blobs.open();
    const page = await store.list(after, pageMax, hashes);
    return { ...page, volumes: await blobs.look(), cluster: await blobs.cluster() };
  }

  async delete({ gc, graceMs, blobs }: DeleteBlobs): Promise<DeletedBlobs> {
    if (gc < this.#gc) {
      throw new DiscoError(`garbage collection ${gc} is over: ${this.#gc} has begun`, { code: "old-gc" });
    }
    this.#gc = gc;
    const store = await this.#store();
    const storedBefore = Date.now() - graceMs;
    const gone: string[] = [];
    const kept: { object: string; reason: string }[] = [];
    for (const { object, volume } of blobs) {
      try {
        // It may have been heard of a later one meanwhile.
        if (gc < this.#gc) kept.push({ object, reason: "a later garbage collection has begun" });
        else if (await store.delete(object, volume, storedBefore)) gone.push(object);
        else kept.push({ object, reason: "it is younger than the grace period" });
      } catch (error) {
        kept.push({ object, reason: (error as Error).message });
      }
    }
    return { gone, kept };
  }

  copy(message: CopyBlob): Promise<StoredBlob> {
    const { object } = message;
    let copying = this.#copies.get(object);
    if (copying === undefined) {
      copying = this.#copy(message).finally(() => this.#copies.delete(object));
      this.#copies.set(object, copying);
    }
    return copying;
  }

  async adopt({ object, file, label }: AdoptFile): Promise<StoredBlob> {
    const store = await this.#store();
    const there = await store.stat(object);
    if (there !== null) return there;
    const path = label === undefined ? file : await this.#listed(file, label);
    const { handle, size } = await this.#jobFile(path);
    // A copy, not a link: a process of the job may have the file open for writing still.
    // Values are many and small: memory for each is of their size.
    const highWaterMark = Math.min(readBytes, size + 1);
    return await store.put(object, handle.createReadStream({ highWaterMark }), { size });
  }

  async verify({ object, volume }: VerifyBlob): Promise<Verdict> {
    return await (await this.#store()).verify(object, volume);
  }

  scrub(message: ScrubNode): Promise<ScrubStatus> {
    return this.#scrubber.command(message);
  }

  async close(): Promise<void> {
    this.#closing.abort(new DiscoError("the node is being closed", { code: "closed" }));
    await this.#scrubber.close();
    await Promise.allSettled(this.#copies.values());
  }

  /** The handle is the caller's to close. @throws DataError `no-such-file` for what is no file of a job, or not there */
  async #jobFile(file: string): Promise<Extract<OpenedFile, { kind: "file" }>> {
    const segments = pathSegments(`/${file.split("/").map(encodeURIComponent).join("/")}`) ?? [];
    const [holder = "", hash = "", job = ""] = segments;
    const isOfJob = segments.length >= jobFileSegmentsMin && `${holder}/${hash}/${job}` === jobDirectory(holder, job);
    const opened = isOfJob ? await openContained(this.#parts.dataDir, segments) : ({ kind: "none" } as const);
    if (opened.kind === "file") return opened;
    throw new DataError(`${file} is no file of a job on ${this.#parts.host}`, { code: "no-such-file" });
  }

  /** What an index of results lists for a label. @throws DataError `bad-index`, `no-such-file` */
  async #listed(index: string, label: number): Promise<string> {
    const { handle } = await this.#jobFile(index);
    let text: string;
    try {
      text = await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
    const url = `dir://${this.#parts.host}/disco/${index}`;
    if (!isIndexText(index, text)) throw new DataError(`${url} is damaged`, { code: "bad-index", url });
    const entry = parseIndex(text, url).find((one) => one.label === label);
    if (entry === undefined) throw new DataError(`${url} lists nothing for ${label}`, { code: "bad-index", url });
    return parseDiscoUrl(entry.url).path.replace(/^\/disco\//, "");
  }

  #store(): Promise<Blobs> {
    return this.#parts.blobs.open();
  }

  async #copy(message: CopyBlob): Promise<StoredBlob> {
    const { object, sources, digest } = message;
    const there = await (await this.#store()).stat(object);
    if (there !== null && (digest === null || there.digest === digest)) return there;
    let last: unknown = new CommError(`no other node is known to have ${object}`, { code: "unknown-peer" });
    for (let round = 0; round < roundsMax; round++) {
      // A node that has just come is known here a moment later.
      if (round > 0) await sleep(firstPauseMs * 2 ** round, undefined, { signal: this.#closing.signal });
      let isWorthwhile = false;
      for (const source of sources) {
        const address = this.#elsewhere(source, object);
        if (address === null) continue;
        try {
          return await this.#fetch(source, address, digest);
        } catch (error) {
          // This node is at fault, and would be with the next source.
          if (!(error instanceof DiscoError) || ownFaults.has(error.code)) throw error;
          last = error;
          isWorthwhile ||= awayCodes.has(error.code);
        }
      }
      if (!isWorthwhile) break;
    }
    throw last;
  }

  /** `null`: the source is none, or this node. */
  #elsewhere(source: string, object: string): BlobAddress | null {
    const address = parseBlobAddress(source);
    const isOther = address !== null && address.host !== this.#parts.host && address.object === object;
    return isOther && this.#parts.peers !== null ? address : null;
  }

  async #fetch(source: string, { host, volume, object }: BlobAddress, digest: string | null): Promise<StoredBlob> {
    const { peers } = this.#parts;
    const { signal } = this.#closing;
    if (peers === null) throw new CommError(`the address of node ${host} is not known`, { code: "unknown-peer" });
    const path = pathOf(pathSegments(new URL(replicaAddress(host, volume, object)).pathname) ?? []);
    const ask = (url: string, request: NodeRequest): Promise<IncomingMessage> => peers.ask(url, { ...request, signal });
    const replica = await readNodeBlob(ask, peers.urlOf(host) + path, { signal });
    if (replica === null) throw new DataError(`${source} is not there`, { code: "no-such-blob", url: source });
    const { size, body } = replica;
    const sum = digest ?? replica.digest;
    try {
      return await (await this.#store()).put(object, body, sum === null ? { size } : { size, digest: sum });
    } finally {
      body.destroy();
    }
  }
}
