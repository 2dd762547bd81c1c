/**
 * DDFS as the master has it, for clients in the same process and for the HTTP interfaces: places for new blobs, tags, and what garbage
 * collection tells. Bytes go between clients and nodes, not through here (a client in this process excepted).
 */
import type {
  BlobTarget,
  DdfsApi,
  NewBlobOptions,
  NodeSpace,
  PutBlob,
  ReplaceOptions,
  TagContents,
  TokenOption,
  UpdateOptions,
} from "../client/ddfs/ddfs-api.ts";
import {
  assertName,
  blobNameLengthMax,
  isStoreHost,
  objectOf,
  parseBlobAddress,
  snapshotName,
} from "../core/ddfs/names.ts";
import { placeReplicas } from "../core/ddfs/placement.ts";
import type { Tag } from "../core/ddfs/tags.ts";
import { DataError, DiscoError } from "../errors.ts";
import type { StoredBlob } from "../protocol/ddfs/messages.ts";
import { replicaAddress } from "../protocol/ddfs/replica-address.ts";
import { wireTime } from "../protocol/wire-time.ts";
import type { Decider } from "./decider.ts";
import type { NodeBlobs } from "./node-blobs.ts";
import type { TagToken } from "./tag-access.ts";
import type { TagService } from "./tag-service.ts";

/** What garbage collection, scrubbing and checking answer. */
export type Collection = Pick<
  DdfsApi,
  "gcStart" | "gcStatus" | "gcStats" | "safeGcBlacklist" | "scrubStart" | "scrubStatus" | "fsck"
>;

export interface DdfsParts {
  readonly decider: Decider;
  readonly tags: TagService;
  readonly nodes: NodeBlobs;
  readonly collection: Collection;
  /** Replicas of a blob, where its client does not say and so many nodes can take one. */
  readonly replicas: (nodes: number) => number;
  /** A node with less room gets new blobs only when all are so. Bytes. */
  readonly reserveBytes: number;
  /** Name by which the master is addressed. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves when a master that has just begun to lead has heard of its nodes, or waited for long enough. Default: at once. */
  readonly gathered?: () => Promise<void>;
}

/** A look through all tags gives others their turns so often. */
const turnMs = 10;
/** More copies than this help nobody. */
export const replicasMax = 64;

export class Ddfs implements DdfsApi {
  readonly #parts: DdfsParts;
  /** For those who serve others: with tokens of the master itself, and without copies of lists. */
  readonly tagService: TagService;
  #micros = 0;
  #turn = 0;

  constructor(parts: DdfsParts) {
    this.#parts = parts;
    this.tagService = parts.tags;
  }

  /** @throws DiscoError `bad-name`, `bad-replicas`, `unknown-node`, `not-enough-nodes`, and what keeps the master from taking anything */
  async newBlob(
    name: string,
    options: NewBlobOptions & { readonly master?: string | undefined } = {},
  ): Promise<BlobTarget[]> {
    const { decider, nodes, reserveBytes, replicas: usual } = this.#parts;
    assertName(name);
    await this.#parts.gathered?.();
    const spaces = await nodes.spaces();
    const store = spaces.find(({ host }) => isStoreHost(host));
    if (store !== undefined) {
      // It replicates by itself, and is asked again where a node on the way failed.
      decider.assertRoom();
      const object = await this.#object(name);
      return [{ host: store.host, object, url: nodes.urlFor(store.host, object) }];
    }
    const places = spaces.map((space) => placeOf(space));
    const replicas = options.replicas ?? usual(places.filter(({ takes }) => takes).length);
    if (!Number.isInteger(replicas) || replicas < 1 || replicas > replicasMax)
      throw new DiscoError(`1 to ${replicasMax} replicas are possible, not ${replicas}`, { code: "bad-replicas" });
    decider.assertRoom();
    const include = this.#named(options.include, spaces, options.master);
    const exclude = this.#named(options.exclude, spaces, options.master);
    const hosts = placeReplicas(places, { replicas, include, exclude, turn: this.#turn++, reserveBytes });
    if (hosts.length < replicas) throw notEnough(replicas, hosts.length, spaces);
    const object = await this.#object(name);
    return hosts.map((host) => ({ host, object, url: nodes.urlFor(host, object, options.master) }));
  }

  /**
   * Nodes by their names, or by the host of their address, of which several on one machine are all meant: Disco's clients know no more of
   * the node where a blob could not be put than the address that they had.
   */
  #named(given: readonly string[] = [], spaces: readonly NodeSpace[], master?: string): string[] {
    return given.flatMap((name) => {
      const named = spaces.some(({ host }) => host === name);
      if (named) return [name];
      const there = spaces.filter(({ host }) => hostOf(this.#parts.nodes.urlFor(host, "", master)) === name);
      if (there.length === 0) throw new DiscoError(`there is no node ${name}`, { code: "unknown-node", node: name });
      return there.map(({ host }) => host);
    });
  }

  /** Nodes that are there and have not told yet of their volumes: a master that has just begun to lead has heard little. */
  async silentNodes(): Promise<string[]> {
    const spaces = await this.#parts.nodes.spaces();
    return spaces.flatMap(({ host, connected, volumes }) => (connected && volumes.length === 0 ? [host] : []));
  }

  /** Replicas that a blob can have at present: as many as are wanted, or as there are nodes that take one. */
  async replicasNow(): Promise<number> {
    const { nodes, replicas } = this.#parts;
    const takers = (await nodes.spaces()).filter((space) => placeOf(space).takes).length;
    return Math.max(1, Math.min(replicas(takers), takers));
  }

  async putBlob(
    target: BlobTarget,
    body: AsyncIterable<Uint8Array>,
    options: PutBlob = {},
  ): Promise<StoredBlob & { url: string }> {
    const stored = await this.#parts.nodes.put(target, body, options);
    return { ...stored, url: replicaAddress(target.host, stored.volume, stored.object) };
  }

  async openBlob(
    url: string,
    options: { readonly from?: number; readonly signal?: AbortSignal } = {},
  ): Promise<NonNullable<Awaited<ReturnType<NodeBlobs["open"]>>>> {
    const opened = await this.#parts.nodes.open(addressIn(url), options);
    if (opened !== null) return opened;
    throw new DataError(`${url} is not there`, { code: "no-such-blob", url });
  }

  statBlob(url: string): Promise<StoredBlob | null> {
    return this.#parts.nodes.stat(addressIn(url));
  }

  tags(prefix = ""): Promise<string[]> {
    return this.#parts.tags.names(prefix);
  }

  async tag(name: string, token: TokenOption = {}): Promise<TagContents> {
    const tag = await this.#parts.tags.tag(name, shown(token));
    return { ...headOf(tag), urls: [...tag.urls.sets()], "user-data": Object.fromEntries(tag.attributes) };
  }

  getAttr(name: string, attribute: string, token: TokenOption = {}): Promise<unknown> {
    return this.#parts.tags.attribute(name, attribute, shown(token));
  }

  async setAttr(name: string, attribute: string, value: unknown, token: TokenOption = {}): Promise<void> {
    await this.#parts.tags.setAttribute(name, attribute, value, shown(token));
  }

  delAttr(name: string, attribute: string, token: TokenOption = {}): Promise<void> {
    return this.#parts.tags.deleteAttribute(name, attribute, shown(token));
  }

  async link(name: string, urls: readonly (readonly string[])[], options: UpdateOptions = {}): Promise<string[]> {
    return [this.versionAddress(await this.#parts.tags.link(name, urls, options))];
  }

  async putTag(name: string, urls: readonly (readonly string[])[], options: ReplaceOptions = {}): Promise<string[]> {
    return [this.versionAddress(await this.#parts.tags.put(name, urls, options))];
  }

  deleteTag(name: string, options: ReplaceOptions = {}): Promise<void> {
    return this.#parts.tags.delete(name, options);
  }

  space(): Promise<NodeSpace[]> {
    return this.#parts.nodes.spaces();
  }

  /** Tags that name blobs on the node. */
  async hostedTags(host: string): Promise<string[]> {
    const names: string[] = [];
    const isThere = (url: string): boolean => parseBlobAddress(url)?.host === host;
    let begunAt = performance.now();
    for (const tag of [...this.#parts.decider.machine.tags.all()]) {
      if (tag.name === snapshotName) continue;
      for (const line of tag.urls.linesWith(host)) {
        if (!line.split("\t").some(isThere)) continue;
        names.push(tag.name);
        break;
      }
      if (performance.now() - begunAt < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      begunAt = performance.now();
    }
    return names.sort();
  }

  gcStart(): Promise<void> {
    return this.#parts.collection.gcStart();
  }

  gcStatus(): ReturnType<Collection["gcStatus"]> {
    return this.#parts.collection.gcStatus();
  }

  gcStats(): ReturnType<Collection["gcStats"]> {
    return this.#parts.collection.gcStats();
  }

  safeGcBlacklist(): Promise<string[]> {
    return this.#parts.collection.safeGcBlacklist();
  }

  scrubStart(options?: { readonly bytesPerSecond?: number }): Promise<void> {
    return this.#parts.collection.scrubStart(options);
  }

  scrubStatus(): ReturnType<Collection["scrubStatus"]> {
    return this.#parts.collection.scrubStatus();
  }

  fsck(): ReturnType<Collection["fsck"]> {
    return this.#parts.collection.fsck();
  }

  /** As Disco has it, which kept versions of tags as files. */
  versionAddress(id: string): string {
    return replicaAddress(this.#parts.host, "vol0", id, "tag");
  }

  /** Rises; a master that takes over within the same millisecond differs in the last digits. */
  async #object(name: string): Promise<string> {
    const { now } = this.#parts;
    this.#micros = Math.max(Math.floor(now()) * 1_000 + Math.floor(Math.random() * 900), this.#micros + 1);
    if (name.length <= blobNameLengthMax) return objectOf(name, this.#micros);
    const { createHash } = await import("node:crypto");
    return objectOf(createHash("md5").update(name).digest("hex"), this.#micros);
  }
}

export function headOf({ id, modifiedAt }: Tag): Pick<TagContents, "version" | "id" | "last-modified"> {
  return { version: 1, id, "last-modified": wireTime(modifiedAt) };
}

function shown({ token }: TokenOption): TagToken {
  return token === undefined ? {} : { token };
}

/** As Disco's clients take it from an address. */
function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? "";
}

function placeOf({ host, connected, leaving, volumes }: NodeSpace): {
  host: string;
  freeBytes: number;
  takes: boolean;
} {
  const open = volumes.filter(({ trouble }) => trouble === null);
  const freeBytes = Math.max(0, ...open.map((volume) => volume.freeBytes));
  return { host, freeBytes, takes: connected && !leaving && open.length > 0 };
}

function notEnough(wanted: number, there: number, spaces: readonly NodeSpace[]): DiscoError {
  const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  const away = spaces.length - there;
  const rest = away > 0 ? `, ${away} of ${spaces.length} are away, full, left out or to be removed` : "";
  return new DiscoError(
    `${many(wanted, "replica")} of a blob need as many nodes, ${many(there, "node")} can take one${rest}`,
    {
      code: "not-enough-nodes",
      hint: "Ask for fewer replicas, or add nodes.",
    },
  );
}

function addressIn(url: string): NonNullable<ReturnType<typeof parseBlobAddress>> {
  const address = parseBlobAddress(url);
  if (address !== null) return address;
  throw new DataError(`${url} is not the address of a blob`, { code: "bad-url", retry: "never", url });
}
