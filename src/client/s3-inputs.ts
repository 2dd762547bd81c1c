/**
 * Inputs in S3: what an address or a pattern names, looked up when the job is made. From then on all tasks read the version that was
 * there: its ETag is part of the address, and an object that is overwritten later fails the task instead of giving lines of two versions.
 *
 * `*` and `?` match within a part of a key, `**` any parts, as in paths of files. What a key is called wins over what it matches.
 */
import { matchesGlob } from "node:path";
import { DiscoError } from "../errors.ts";
import { accountOf } from "../s3/account.ts";
import { parseS3Url, type S3Address, s3Url } from "../s3/address.ts";
import { S3Connection } from "../s3/connection.ts";
import { type ListedObject, listAll } from "../s3/listing.ts";
import { headObject } from "../s3/objects.ts";
import { badInput } from "./replicas.ts";

export interface FoundObject {
  /** With all that is known. */
  readonly url: string;
  /** Bytes; 0 where only the nodes can see it. */
  readonly size: number;
  /** Lines of it can be read from the middle on, as far as its name and what it says of itself tell. */
  readonly canBeCut: boolean;
}

export interface Wanted {
  readonly url: string;
  /** Where it stands in the options. */
  readonly place: string;
  /** One of several replicas: it has to be one object. */
  readonly isReplica: boolean;
}

export interface Lookup {
  /** Objects above this size are looked at for how they are encoded. */
  readonly splitBytes: number;
  /** The job runs elsewhere, where the credentials may be. */
  readonly isElsewhere: boolean;
}

/** Requests at once. */
const lookupsMax = 32;
const pattern = /[*?{}[\]]/;
const compressed = /\.(?:gz|zst)$/i;

/** @throws JobError `bad-input`, `no-such-file`; DataError, CommError as S3 refuses */
export async function findObjects(
  wanted: readonly Wanted[],
  lookup: Lookup,
): Promise<ReadonlyMap<string, readonly FoundObject[]>> {
  const connection = new S3Connection({ account: accountOf(process.env) });
  const different = [...new Map(wanted.map((one) => [one.url, one])).values()];
  const patterns = different.filter(({ url }) => pattern.test(url));
  const found = new Map<string, readonly FoundObject[]>();
  // One after the other: each asks for many objects.
  for (const one of patterns) found.set(one.url, await find(connection, one, lookup));
  const named = different.filter(({ url }) => !pattern.test(url));
  const objects = await inLanes(named, (one) => find(connection, one, lookup));
  for (const [i, one] of named.entries()) found.set(one.url, objects[i] ?? []);
  return found;
}

/** Of all, a few at a time, in their order. */
async function inLanes<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(all.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) {
      const at = next++;
      results[at] = await act(all[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lookupsMax, all.length) }, lane));
  return results;
}

async function find(connection: S3Connection, wanted: Wanted, lookup: Lookup): Promise<FoundObject[]> {
  const { url, place } = wanted;
  if (/^s3:\/\/[^/]*\/?$/i.test(url) || url.endsWith("/")) {
    throw badInput(`${place}: ${url} is no object`, `Give its objects: ${url.replace(/\/+$/, "")}/**`);
  }
  const address = parseS3Url(url);
  if (pattern.test(address.key) && address.etag === null && address.part === null) {
    const objects = await matching(connection, address);
    if (objects.length === 0) {
      throw badInput(
        `${place}: no object matches ${url}`,
        "Check bucket, prefix and AWS_ENDPOINT_URL.",
        "no-such-file",
      );
    }
    if (wanted.isReplica && objects[0]?.key !== address.key) {
      throw badInput(
        `${place}: the pattern ${url} cannot be a replica`,
        "Name the object, or take it out of the inner list.",
      );
    }
    return await inLanes(objects, (object) => described(connection, address, object, lookup));
  }
  return [await single(connection, address, wanted, lookup)];
}

async function single(
  connection: S3Connection,
  address: S3Address,
  { url, place }: Wanted,
  { isElsewhere }: Lookup,
): Promise<FoundObject> {
  let head: Awaited<ReturnType<typeof headObject>>;
  try {
    head = await headObject(connection, address);
  } catch (error) {
    // The nodes may be let in where this machine is not.
    const isTheirs = error instanceof DiscoError && (error.code === "s3-access" || error.code === "s3-unreachable");
    if (isElsewhere && isTheirs) return { url, size: 0, canBeCut: false };
    throw error;
  }
  if (head === null) {
    throw badInput(`${place}: no such object: ${url}`, "Check the key: it is case-sensitive.", "no-such-file");
  }
  const etag = address.etag ?? head.etag;
  const { part } = address;
  const size = part === null ? head.size : Math.max(0, Math.min(part.to, head.size) - part.from);
  const canBeCut = part === null && head.encoding === null && !compressed.test(address.key);
  return { url: s3Url({ ...address, etag }), size, canBeCut };
}

async function described(
  connection: S3Connection,
  { bucket }: S3Address,
  { key, size, etag }: ListedObject,
  { splitBytes }: Lookup,
): Promise<FoundObject> {
  let canBeCut = !compressed.test(key);
  // Lists do not tell how objects are encoded, which matters for those that would be cut.
  if (canBeCut && splitBytes > 0 && size > splitBytes) {
    canBeCut = (await headObject(connection, { bucket, key }))?.encoding === null;
  }
  return { url: s3Url({ bucket, key, etag }), size, canBeCut };
}

/** In the order of their keys. */
async function matching(connection: S3Connection, { bucket, key }: S3Address): Promise<ListedObject[]> {
  const prefix = key.slice(0, key.search(pattern));
  const objects: ListedObject[] = [];
  for await (const object of listAll(connection, { bucket, prefix })) {
    if (object.key === key) return [object];
    // Folders that consoles make are empty objects with a slash at their end.
    if (!object.key.endsWith("/") && matchesGlob(object.key, key)) objects.push(object);
  }
  return objects;
}
