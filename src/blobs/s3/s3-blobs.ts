/**
 * Blobs in S3: one object each, which the store replicates by itself.
 *
 * SB1. A blob appears at once and whole: by one request, or by the completion of an upload in parts.
 * SB2. Its digest is there when it is: with the object, where it is sent in one request; beside it, put there before the upload is
 *      completed, where the bytes were sent before their digest was known.
 * SB3. Who is first with an object has it: `If-None-Match: *` with the object, or with the digest beside it, is what decides. A store that
 *      does not know this condition is refused when it is opened.
 * SB4. All times are the store's: the grace period is not the affair of several clocks.
 *
 * To overwrite an object's metadata with the digest once it is known would be simpler. It is a copy of all bytes, impossible above 5 GB, and
 * a blob without a digest if it is interrupted.
 */
import { Readable } from "node:stream";
import { blobNameLengthMax, isObject, storeVolume } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob, StoredBlob, Verdict, VolumeInfo } from "../../protocol/ddfs/messages.ts";
import type { S3Place } from "../../s3/address.ts";
import { digestAside, digestMeta, digestOfBlob, readSum } from "../../s3/blob-digest.ts";
import type { S3Connection } from "../../s3/connection.ts";
import { listPage, pageKeysMax } from "../../s3/listing.ts";
import { deleteObject, headObject, type ObjectHead, openObject, putObject } from "../../s3/objects.ts";
import type { Expected, OpenedBlob, Range, SharedBlobs } from "../blobs.ts";
import { checkedBody, damaged } from "../volumes/checked-body.ts";
import { formatSum, type Sum } from "../volumes/sum.ts";
import { Incoming, PartRoom } from "./incoming.ts";
import { Layout } from "./s3-layout.ts";
import { setAside } from "./set-aside.ts";
import { sweep } from "./sweep.ts";

export interface S3BlobsParts {
  readonly connection: S3Connection;
  readonly place: S3Place;
  /** A blob was found damaged, and set aside. */
  readonly found?: (blob: DamagedBlob) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const objectLengthMax = blobNameLengthMax + 24;
/** What there is no end of. */
const freeBytes = 2 ** 50;
const hashMax = 255;
const lookAgeMs = 10_000;
const sweepIntervalMs = 3_600_000;

export class S3Blobs implements SharedBlobs {
  readonly kind = "s3";
  readonly #connection: S3Connection;
  readonly #layout: Layout;
  readonly #found: NonNullable<S3BlobsParts["found"]>;
  readonly #now: () => number;
  readonly #room = new PartRoom();
  #info: VolumeInfo = { volume: storeVolume, freeBytes, usedBytes: 0, trouble: null };
  #lookedAt = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor({ connection, place, found = () => undefined, now = Date.now }: S3BlobsParts) {
    this.#connection = connection;
    this.#layout = new Layout(place);
    this.#found = found;
    this.#now = now;
  }

  async put(object: string, body: AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<StoredBlob> {
    assertObject(object);
    const at = this.#layout.blob(object);
    const incoming = new Incoming(this.#connection, at, this.#room, expected.size);
    try {
      for await (const chunk of body) {
        await incoming.write(chunk);
        if (expected.size !== undefined && incoming.size > expected.size)
          throw cutOff(object, incoming.size, expected.size);
      }
      const sum = { digest: incoming.digest(), size: incoming.size };
      assertExpected(object, sum, expected);
      const { only } = incoming;
      if (only !== null) {
        const meta = { [digestMeta]: sum.digest };
        const isFirst = await putObject(this.#connection, at, only, { isNew: true, meta, digest: sum.digest });
        return await this.#stored(object, sum, isFirst);
      }
      await incoming.flush();
      return await this.#complete(object, sum, incoming);
    } finally {
      await incoming.close();
    }
  }

  async open(object: string, range?: Range): Promise<OpenedBlob | null> {
    if (!isObject(object)) return null;
    const { from = 0, to = null } = range ?? {};
    const opened = await openObject(this.#connection, this.#layout.blob(object), { from, to });
    if (opened === null) return null;
    const { head, chunks } = opened;
    const stored = await this.#describe(object, head);
    if (stored === null) {
      await chunks.return();
      throw damaged(object, storeVolume);
    }
    const bytes = Readable.from(chunks, { objectMode: false });
    const isWhole = from === 0 && (to === null || to >= head.size);
    const found = async (): Promise<void> => void (await this.#doubt(object, stored, "read"));
    return { ...stored, body: isWhole ? checkedBody(bytes, stored, found) : bytes };
  }

  async stat(object: string): Promise<StoredBlob | null> {
    if (!isObject(object)) return null;
    const head = await headObject(this.#connection, this.#layout.blob(object));
    return head === null ? null : await this.#describe(object, head);
  }

  /** Without digests, which S3 does not list: they are empty. */
  async list(
    after: { readonly volume: string; readonly object: string } | undefined,
    limit: number,
    only: { readonly from: number; readonly to: number } = { from: 0, to: hashMax },
  ): Promise<{ blobs: StoredBlob[]; isLast: boolean; incomplete: boolean }> {
    if (after === undefined) await this.#sweepSometimes();
    const { bucket } = this.#layout;
    const end = only.to >= hashMax ? null : this.#layout.blobs(hashText(only.to + 1));
    const first = this.#layout.blobs(hashText(only.from));
    const prefix = only.from === only.to ? first : this.#layout.blobs();
    const blobs: StoredBlob[] = [];
    let startAfter = after === undefined ? first : this.#layout.blob(after.object).key;
    for (;;) {
      const page = await listPage(this.#connection, {
        bucket,
        prefix,
        startAfter,
        limit: Math.min(limit - blobs.length, pageKeysMax),
      });
      for (const { key, size, modifiedAt } of page.objects) {
        startAfter = key;
        if (end !== null && key >= end) return { blobs, isLast: true, incomplete: false };
        const object = this.#layout.objectOf(key);
        if (object !== null) blobs.push({ object, volume: storeVolume, size, storedAt: modifiedAt, digest: "" });
      }
      if (page.next === null) return { blobs, isLast: true, incomplete: false };
      if (blobs.length >= limit) return { blobs, isLast: false, incomplete: false };
    }
  }

  async delete(object: string, volume: string, storedBefore: number): Promise<boolean> {
    if (volume !== storeVolume || !isObject(object)) return true;
    const head = await headObject(this.#connection, this.#layout.blob(object));
    if (head === null) return true;
    if (head.modifiedAt >= storedBefore || (await this.#sumIsYoung(object, head, storedBefore))) return false;
    await deleteObject(this.#connection, this.#layout.blob(object));
    await deleteObject(this.#connection, this.#layout.sum(object));
    return true;
  }

  async verify(object: string, volume: string): Promise<Verdict> {
    if (volume !== storeVolume) return "missing";
    const stored = await this.stat(object);
    return stored === null ? "missing" : await this.#doubt(object, stored, "scrub");
  }

  async volumes(): Promise<VolumeInfo[]> {
    if (this.#now() - this.#lookedAt >= lookAgeMs) {
      this.#lookedAt = this.#now();
      const trouble = await headObject(this.#connection, this.#layout.cluster()).then(
        () => null,
        () => "gone",
      );
      this.#info = { ...this.#info, trouble };
    }
    return [this.#info];
  }

  async cluster(): Promise<string | null> {
    const { answer, text } = await this.#connection.ask({ method: "GET", ...this.#layout.cluster(), taken: [404] });
    return answer.status === 404 ? null : text.trim();
  }

  async claim(cluster: string): Promise<string> {
    await putObject(
      this.#connection,
      this.#layout.cluster(),
      Buffer.from(`${cluster}
`),
      { isNew: true },
    );
    return (await this.cluster()) ?? cluster;
  }

  /**
   * Looks whether it is a store at all, and one that decides who is first (SB3).
   * @throws DiscoError `store-unconditional`; what S3 refuses
   */
  async begin(): Promise<void> {
    const at = this.#layout.probe();
    const put = (): Promise<boolean> => putObject(this.#connection, at, Buffer.alloc(0), { isNew: true });
    if (!(await put()) || !(await put())) return;
    throw new DiscoError(`s3://${at.bucket} overwrites objects that it was asked to leave alone (If-None-Match: *)`, {
      code: "store-unconditional",
      hint: "DDFS needs an S3 server with conditional writes: Amazon S3, Ceph, MinIO and others have them.",
    });
  }

  /** Uploads end by themselves, with their connections. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #complete(object: string, sum: Sum, incoming: Incoming): Promise<StoredBlob> {
    const at = this.#layout.sum(object);
    const isFirst = await putObject(this.#connection, at, Buffer.from(formatSum(sum)), { isNew: true });
    const claimed = isFirst ? sum : await readSum(this.#connection, at);
    if (claimed?.digest !== sum.digest) throw otherBytes(object);
    // One that came in a single request has no sum beside it.
    const there = await headObject(this.#connection, this.#layout.blob(object));
    const outcome = there === null ? await incoming.complete() : "there";
    return await this.#stored(object, sum, outcome !== "there");
  }

  /** What is there now, if it is what was sent. */
  async #stored(object: string, sum: Sum, isFirst: boolean): Promise<StoredBlob> {
    const stored = await this.stat(object);
    if (stored?.digest === sum.digest) return stored;
    if (stored !== null && !isFirst) throw otherBytes(object);
    throw new DiscoError(`${object} is not in the store after it was put there`, {
      code: "store-failed",
      retry: "here",
    });
  }

  /** `null`: its bytes cannot be what came, or nobody knows what came. It is set aside in the first case, and told of in both. */
  async #describe(object: string, head: ObjectHead): Promise<StoredBlob | null> {
    const { size, modifiedAt: storedAt } = head;
    try {
      const digest = await digestOfBlob(this.#connection, this.#layout.blob(object), head);
      if (digest !== null) return { object, volume: storeVolume, size, storedAt, digest };
      this.#found({ object, volume: storeVolume, found: "read" });
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "blob-damaged") throw error;
      await this.#giveUp(object, head, "read");
    }
    return null;
  }

  /** Reads it from the beginning to its end: what came wrong over the network once may be right. */
  async #doubt(object: string, { digest }: StoredBlob, how: DamagedBlob["found"]): Promise<Verdict> {
    const { createHash } = await import("node:crypto");
    const opened = await openObject(this.#connection, this.#layout.blob(object));
    if (opened === null) return "missing";
    const hash = createHash("sha256");
    for await (const chunk of opened.chunks) hash.update(chunk);
    if (hash.digest("hex") === digest) return "sound";
    await this.#giveUp(object, opened.head, how);
    return "damaged";
  }

  async #giveUp(object: string, head: ObjectHead, how: DamagedBlob["found"]): Promise<void> {
    await setAside(this.#connection, this.#layout, object, head);
    this.#found({ object, volume: storeVolume, found: how });
  }

  /** An upload in parts is as old as its beginning; its sum is as old as its end. */
  async #sumIsYoung(object: string, head: ObjectHead, storedBefore: number): Promise<boolean> {
    if (head.meta(digestMeta) !== digestAside) return false;
    const sum = await headObject(this.#connection, this.#layout.sum(object));
    return sum !== null && sum.modifiedAt >= storedBefore;
  }

  async #sweepSometimes(): Promise<void> {
    if (this.#now() - this.#sweptAt < sweepIntervalMs) return;
    this.#sweptAt = this.#now();
    // What cannot be swept now is swept with a later list.
    await sweep(this.#connection, this.#layout, this.#now()).catch(() => undefined);
  }
}

function hashText(hash: number): string {
  return hash.toString(16).padStart(2, "0");
}

function assertObject(object: string): void {
  if (isObject(object) && object.length <= objectLengthMax) return;
  throw new DiscoError(`${JSON.stringify(object.slice(0, 300))} is not the name of a blob that a master gave`, {
    code: "bad-name",
  });
}

function assertExpected(object: string, { digest, size }: Sum, expected: Expected): void {
  if (expected.size !== undefined && size !== expected.size) throw cutOff(object, size, expected.size);
  if (expected.digest === undefined || expected.digest === digest) return;
  throw new DiscoError(`${object} came with other bytes than was announced (SHA-256 ${digest})`, {
    code: "digest-mismatch",
    retry: "here",
  });
}

function cutOff(object: string, size: number, expected: number): DiscoError {
  return new DiscoError(`${object} came with ${size} bytes or more instead of ${expected}`, {
    code: "cut-off",
    retry: "here",
  });
}

function otherBytes(object: string): DiscoError {
  return new DiscoError(`${object} is stored already, with other bytes`, {
    code: "blob-exists",
    hint: "Ask for a new blob: an object never changes.",
  });
}
