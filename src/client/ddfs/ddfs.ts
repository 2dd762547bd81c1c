/**
 * The client of DDFS (the seed: `disco.ddfs.DDFS`): tags, and the blobs that they name. What the methods do is loaded with the first call
 * of one: importing this costs nothing.
 */
import { engineOf } from "../engine.ts";
import { keepAlive } from "../keep-alive.ts";
import type { MasterApi } from "../master-api.ts";
import { MasterDoor } from "../master-door.ts";
import type { DdfsApi, TagContents } from "./ddfs-api.ts";
import {
  assertToken,
  type ChunkInput,
  type ChunkOptions,
  checkOptions,
  chunkChecks,
  type DdfsOptions,
  type PullOptions,
  type Pushed,
  type PushOptions,
  pullChecks,
  pushChecks,
  readChecks,
  type TagReadOptions,
  type TagUpdateOptions,
  type TagWalkOptions,
  type TagWriteOptions,
  updateChecks,
  walkChecks,
} from "./ddfs-options.ts";
import type { PulledBlob } from "./pulled-blob.ts";
import type { PushFile } from "./push-source.ts";
import { parseTag, safeName, type TagAddress, urlSets } from "./tag-address.ts";
import type { BlobReplicas, TagVisit, WalkOptions } from "./tag-graph.ts";

/** Whoever leads to a master. */
interface Door {
  master(): Promise<MasterApi>;
  close(): Promise<void>;
}

/** Tags are named `NAME` or `tag://NAME`. Errors that all methods have: `bad-name`, `tag-unauthorized`, CommError. */
export class DDFS {
  readonly #door: Door;
  readonly #readToken: string | undefined;
  readonly #writeToken: string | undefined;

  /**
   * @param address as for `Disco`: by default `DISCO_MASTER`, else the embedded engine, which starts on first use
   * @throws DiscoError `bad-address`
   * @throws JobError `unknown-option`, `bad-option`
   */
  constructor(address?: string | readonly string[], options?: DdfsOptions);
  /** @internal */
  constructor(door: { readonly door: Door });
  constructor(place?: string | readonly string[] | { readonly door: Door }, options: DdfsOptions = {}) {
    if (typeof place === "object" && "door" in place) {
      this.#door = place.door;
      return;
    }
    const { readToken, writeToken, ...others } = options;
    assertToken("readToken", readToken);
    assertToken("writeToken", writeToken);
    this.#door = new MasterDoor(engineOf(place, others));
    this.#readToken = readToken;
    this.#writeToken = writeToken;
  }

  /** @internal That of whoever has a connection already. */
  static at(door: Door): DDFS {
    return new DDFS({ door });
  }

  /** A name made of any text: what names may not have becomes `_`. */
  static safeName(name: string): string {
    return safeName(name);
  }

  /**
   * Stores files, streams or named contents as blobs, several at a time, and adds them to the tag, which is made if it is not there. All
   * of them or none: the tag changes once, when every blob is on as many nodes as were asked for. Nodes that fail are left out, and
   * others are asked.
   *
   * @returns addresses of the tag's new version, and the replicas of each blob, in the order of `files`
   * @throws DiscoError `not-enough-nodes`, `push-failed`, `stream-lost`, `no-such-file`, `is-directory`, `file-changed`
   */
  async push(tag: string, files: PushFile | readonly PushFile[], options: PushOptions = {}): Promise<Pushed> {
    checkOptions("push", options, pushChecks);
    const address = this.#writable(tag, options);
    const { push } = await import("./push.ts");
    return await this.#ask((api) => push(api, address, files, options));
  }

  /**
   * Reads records of inputs, and stores them as blobs of about the same size, compressed, in the format of Disco's own results: jobs read
   * them with `chainReader`, a task for each blob. Records are never cut. What a reader gives that is no `[key, value]` pair, a line say, is
   * the key of a record whose value is `null`. Else as `push`.
   *
   * @throws DiscoError `record-too-large`, `bad-value`; what reading the inputs throws; as `push`
   */
  async chunk<E, P = undefined>(
    tag: string,
    inputs: ChunkInput | readonly ChunkInput[],
    options: ChunkOptions<E, P> = {},
  ): Promise<Pushed> {
    checkOptions("chunk", options, chunkChecks);
    const address = this.#writable(tag, options);
    const walking = this.#walking(undefined, { token: options.token });
    const { chunk } = await import("./chunk.ts");
    return await this.#ask((api) => chunk(api, address, inputs, options as ChunkOptions, walking));
  }

  /**
   * The blobs of a tag and of all tags to which it links, in order. Nothing is fetched before it is read: `blob.bytes()`,
   * `blob.text()`, `blob.save(path)`, or a loop over the blob.
   *
   * @throws DiscoError `unknown-tag`
   */
  async *pull(tag: string, options: PullOptions = {}): AsyncGenerator<PulledBlob, void> {
    checkOptions("pull", options, pullChecks);
    const { blobfilter, signal } = options;
    const [{ PulledBlob: Blob }, { blobNameOf }] = await Promise.all([
      import("./pulled-blob.ts"),
      import("../../core/ddfs/names.ts"),
    ]);
    const api = await keepAlive(this.api());
    for await (const urls of this.#blobs(tag, options)) {
      signal?.throwIfAborted();
      if (blobfilter?.(blobNameOf(urls[0] ?? "")) === false) continue;
      yield new Blob(api, urls, { signal });
    }
  }

  /** The replicas of each blob of a tag and of all tags to which it links, none visited twice. */
  async *blobs(tag: string, options: TagWalkOptions = {}): AsyncGenerator<BlobReplicas, void> {
    checkOptions("blobs", options, walkChecks);
    yield* this.#blobs(tag, options);
  }

  /** The tag, then those to which it links, depth first: of each the path to it, its links and its own blobs. */
  async *walk(tag: string, options: TagWalkOptions = {}): AsyncGenerator<TagVisit, void> {
    checkOptions("walk", options, walkChecks);
    const { walkTags } = await import("./tag-graph.ts");
    const api = await keepAlive(this.api());
    yield* awake(walkTags(api, tag, this.#walking(tag, options)));
  }

  /** The tags, then those to which they link, and so on: of each its address, its links and its own blobs. */
  async *findtags(
    tags: string | readonly string[],
    options: TagWalkOptions = {},
  ): AsyncGenerator<[tag: string, tags: string[], blobs: BlobReplicas[]], void> {
    checkOptions("findtags", options, walkChecks);
    const { findTags } = await import("./tag-graph.ts");
    const api = await keepAlive(this.api());
    const list = typeof tags === "string" ? [tags] : tags;
    yield* awake(findTags(api, list, this.#walking(undefined, options)));
  }

  /** The tag as it is. @throws DiscoError `unknown-tag` */
  async get(tag: string, options: TagReadOptions = {}): Promise<TagContents> {
    const { name, token } = this.#readable("get", tag, options);
    return await this.#ask((api) => api.tag(name, { token }));
  }

  /** Of each blob of the tag, and of each link, its addresses; the newest first. @throws DiscoError `unknown-tag` */
  async urls(tag: string, options: TagReadOptions = {}): Promise<string[][]> {
    const { name, token } = this.#readable("urls", tag, options);
    return await this.#ask(async (api) => (await api.tag(name, { token })).urls.map((replicas) => [...replicas]));
  }

  /**
   * Adds blobs, or links to other tags (`tag://NAME`), before those that the tag has; it is made if it is not there.
   * @returns addresses of the tag's new version
   * @throws DiscoError `bad-url`, `blob-condemned`
   */
  async tag(
    tag: string,
    urls: readonly (string | readonly string[])[],
    options: TagUpdateOptions = {},
  ): Promise<string[]> {
    checkOptions("tag", options, updateChecks);
    const { name, token } = this.#writable(tag, options);
    const { delayed, update } = options;
    return await this.#ask((api) => api.link(name, urlSets(urls), { token, delayed, update }));
  }

  /** Replaces what the tag has. Where others change it as well, `tag` is what loses nothing. Throws as `tag` does. */
  async put(
    tag: string,
    urls: readonly (string | readonly string[])[],
    options: TagWriteOptions = {},
  ): Promise<string[]> {
    checkOptions("put", options, readChecks);
    const { name, token } = this.#writable(tag, options);
    return await this.#ask((api) => api.putTag(name, urlSets(urls), { token }));
  }

  /** All tags whose name begins so, in ascending order. */
  async list(prefix = ""): Promise<string[]> {
    return await this.#ask((api) => api.tags(prefix));
  }

  /** Whether there is such a tag, also one that may not be read. */
  async exists(tag: string): Promise<boolean> {
    const { name, token } = this.#readable("exists", tag, {});
    return await this.#ask(async (api) => {
      try {
        await api.getAttr(name, "ddfs:read-token", { token });
        return true;
      } catch (error) {
        const { code } = error as { readonly code?: unknown };
        if (code === "unknown-tag") return false;
        if (code === "tag-unauthorized") return true;
        throw error;
      }
    });
  }

  /** Deletes the tag. Blobs that no other tag names are collected later. One that is not there is gone already. */
  async delete(tag: string, options: TagWriteOptions = {}): Promise<void> {
    checkOptions("delete", options, readChecks);
    const { name, token } = this.#writable(tag, options);
    await this.#ask((api) => api.deleteTag(name, { token }));
  }

  /** The users' attributes of the tag. @throws DiscoError `unknown-tag` */
  async attrs(tag: string, options: TagReadOptions = {}): Promise<Record<string, unknown>> {
    const { name, token } = this.#readable("attrs", tag, options);
    return await this.#ask(async (api) => ({ ...(await api.tag(name, { token }))["user-data"] }));
  }

  /** One attribute; also `ddfs:urls`, `ddfs:read-token`, `ddfs:write-token`. @throws DiscoError `unknown-tag`, `unknown-attribute` */
  async getattr(tag: string, attribute: string, options: TagReadOptions = {}): Promise<unknown> {
    checkOptions("getattr", options, readChecks);
    const address = attribute === "ddfs:write-token" ? this.#writable(tag, options) : this.#reading(tag, options);
    return await this.#ask((api) => api.getAttr(address.name, attribute, { token: address.token }));
  }

  /** Sets an attribute to any value of JSON, 4,096 bytes at most; a tag that is not there is made. @throws DiscoError `bad-attribute` */
  async setattr(tag: string, attribute: string, value: unknown, options: TagWriteOptions = {}): Promise<void> {
    checkOptions("setattr", options, readChecks);
    const { name, token } = this.#writable(tag, options);
    await this.#ask((api) => api.setAttr(name, attribute, value, { token }));
  }

  /** One that the tag does not have is gone already. @throws DiscoError `unknown-tag`, `bad-attribute` */
  async delattr(tag: string, attribute: string, options: TagWriteOptions = {}): Promise<void> {
    checkOptions("delattr", options, readChecks);
    const { name, token } = this.#writable(tag, options);
    await this.#ask((api) => api.delAttr(name, attribute, { token }));
  }

  /** @internal What the master has for clients of DDFS. */
  async api(): Promise<DdfsApi> {
    return (await this.#door.master()).ddfs;
  }

  /** Ends the connection; that of a `Disco` with it, where this is its `ddfs`. */
  close(): Promise<void> {
    return this.#door.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#blobs(tag: string, options: TagWalkOptions): AsyncGenerator<BlobReplicas, void> {
    const { blobsBehind } = await import("./tag-graph.ts");
    const api = await keepAlive(this.api());
    yield* awake(blobsBehind(api, tag, this.#walking(tag, options)));
  }

  /** Asks the master; the process stays alive until it has answered. */
  #ask<T>(question: (api: DdfsApi) => Promise<T>): Promise<T> {
    return keepAlive(this.api().then(question));
  }

  #readable(method: string, tag: string, options: TagReadOptions): TagAddress {
    checkOptions(method, options, readChecks);
    return this.#reading(tag, options);
  }

  #reading(tag: string, { token }: TagReadOptions): TagAddress {
    const address = parseTag(tag);
    const usual = address.token ?? this.#readToken ?? (process.env["DDFS_READ_TOKEN"] || undefined);
    return { name: address.name, token: token ?? usual };
  }

  #writable(tag: string, { token }: TagWriteOptions): TagAddress {
    const address = parseTag(tag);
    const usual = address.token ?? this.#writeToken ?? (process.env["DDFS_WRITE_TOKEN"] || undefined);
    return { name: address.name, token: token ?? usual };
  }

  #walking(tag: string | undefined, { token, ignoreMissing }: TagWalkOptions): WalkOptions {
    const usual = this.#readToken ?? (process.env["DDFS_READ_TOKEN"] || undefined);
    const own = tag === undefined ? undefined : parseTag(tag).token;
    return { token: token ?? own ?? usual, isGiven: token !== undefined, ignoreMissing };
  }
}

/** The same items; the process stays alive while one is waited for. */
async function* awake<T>(items: AsyncGenerator<T, void>): AsyncGenerator<T, void> {
  try {
    for (;;) {
      const step = await keepAlive(items.next());
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await items.return();
  }
}
