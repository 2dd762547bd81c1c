/**
 * Walks along the links between tags. Tags may link to one another in circles, and to tags that are gone: none is visited twice, and
 * links that lead nowhere are passed over. A tag that was asked for by its name has to be there.
 */
import { DiscoError } from "../../errors.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { isTagLink, parseTag, type TagAddress, tagAddress } from "./tag-address.ts";

/** Addresses of the replicas of one blob. */
export type BlobReplicas = readonly string[];

/** `path`: from the first tag to this one, as `tag://` addresses. `tags`: those to which it links. */
export type TagVisit = [path: string[], tags: string[], blobs: BlobReplicas[]];

export interface WalkOptions {
  /** For all tags that have none in their address. */
  readonly token?: string | undefined;
  /** The token also counts over those in addresses that users give. */
  readonly isGiven?: boolean;
  /** Tags that do not exist have nothing: those that were asked for, too (true), none (false), those behind links (default). */
  readonly ignoreMissing?: boolean | undefined;
}

type TagReader = Pick<DdfsApi, "tag">;

/**
 * The tag, then what it links to, in the order of the links, each with all behind it before the next.
 * @throws DiscoError `unknown-tag`, `tag-unauthorized`
 */
export async function* walkTags(api: TagReader, tag: string, options: WalkOptions): AsyncGenerator<TagVisit, void> {
  for await (const { step, links, blobs } of visits(api, tag, options))
    yield [pathTo(step), links.map(({ name }) => tagAddress(name)), blobs];
}

/** A tag on the way, and the one that linked to it. */
interface Step {
  readonly address: TagAddress;
  readonly from: Step | null;
}

/** Chains of links may be long: paths are made where somebody asks for them. */
async function* visits(
  api: TagReader,
  tag: string,
  options: WalkOptions,
): AsyncGenerator<Links & { readonly step: Step }, void> {
  const seen = new Set<string>();
  const line: Step[] = [{ address: parseTag(tag), from: null }];
  for (let step = line.pop(); step !== undefined; step = line.pop()) {
    const { address } = step;
    if (seen.has(address.name)) continue;
    seen.add(address.name);
    const { links, blobs } = (await readTag(api, address, step.from === null, options)) ?? { links: [], blobs: [] };
    yield { step, links, blobs };
    for (let i = links.length - 1; i >= 0; i--) line.push({ address: links[i] as TagAddress, from: step });
  }
}

function pathTo(step: Step): string[] {
  const path: string[] = [];
  for (let at: Step | null = step; at !== null; at = at.from) path.push(tagAddress(at.address.name));
  return path.reverse();
}

/**
 * The tags, then those to which they link, and so on; missing ones are left out. Of each its address, its links and its blobs.
 * @throws DiscoError `unknown-tag`, `tag-unauthorized`
 */
export async function* findTags(
  api: TagReader,
  tags: readonly string[],
  options: WalkOptions,
): AsyncGenerator<[tag: string, tags: string[], blobs: BlobReplicas[]], void> {
  const seen = new Set<string>();
  const line: TagAddress[] = [];
  const enqueue = (address: TagAddress): void => {
    if (seen.has(address.name)) return;
    seen.add(address.name);
    line.push(address);
  };
  for (const tag of tags) enqueue(parseTag(tag));
  const asked = line.length;
  for (let i = 0; i < line.length; i++) {
    const address = line[i] as TagAddress;
    const found = await readTag(api, address, i < asked, options);
    if (found === null) continue;
    yield [tagAddress(address.name), found.links.map(({ name }) => tagAddress(name)), found.blobs];
    for (const link of found.links) enqueue(link);
  }
}

/** Replicas of all blobs of a tag and of those to which it links, in the order of `walkTags`. */
export async function* blobsBehind(api: TagReader, tag: string, options: WalkOptions): AsyncGenerator<BlobReplicas> {
  for await (const { blobs } of visits(api, tag, options)) yield* blobs;
}

interface Links {
  readonly links: TagAddress[];
  readonly blobs: BlobReplicas[];
}

/** `null`: it is missing, and that is no matter. */
async function readTag(
  api: TagReader,
  address: TagAddress,
  isAsked: boolean,
  { token: usual, isGiven = false, ignoreMissing }: WalkOptions,
): Promise<Links | null> {
  const token = isAsked && isGiven ? usual : (address.token ?? usual);
  try {
    const { urls } = await api.tag(address.name, { token });
    const links: TagAddress[] = [];
    const blobs: BlobReplicas[] = [];
    for (const replicas of urls) {
      if (isTagLink(replicas)) links.push(parseTag(replicas[0]));
      else blobs.push(replicas);
    }
    return { links, blobs };
  } catch (error) {
    const isMissing = error instanceof DiscoError && error.code === "unknown-tag";
    if (isMissing && (ignoreMissing ?? !isAsked)) return null;
    throw error;
  }
}
