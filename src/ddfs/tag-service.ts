/**
 * Tags, as people and jobs change them. Each change is one decision of the master: recorded, and answered when it is in the journal.
 * Changes of one tag happen in the order in which they came; nobody waits for those of another.
 *
 *   link, delayed ─▶ buffer of the tag ─(a second, or a part of a list)─▶ one event ─▶ journal ─▶ all who wait
 *   long lists ─▶ staged in parts ─▶ the event that makes them true, or the one that drops them
 */
import { randomUUID } from "node:crypto";
import type { DdfsEvent, TagChange, UrlText } from "../core/ddfs/events.ts";
import { assertName, objectOf, partsOfObject, snapshotName } from "../core/ddfs/names.ts";
import type { Tag } from "../core/ddfs/tags.ts";
import { DiscoError } from "../errors.ts";
import type { Decider } from "./decider.ts";
import { DelayedUpdates } from "./delayed-updates.ts";
import { assertMay, type TagToken } from "./tag-access.ts";
import { urlParts } from "./url-text.ts";

export interface TagServiceParts {
  readonly decider: Decider;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long a delayed update waits for others. Default: a second, as in Disco. */
  readonly delayMs?: number;
}

export interface KeyOption {
  /** Unique for the request: repeated with it, it is carried out once, whichever master it comes to. */
  readonly key?: string | undefined;
}

export interface LinkOptions extends TagToken, KeyOption {
  readonly delayed?: boolean | undefined;
  /** Without blobs whose name the tag has already. */
  readonly update?: boolean | undefined;
}

export interface ReplaceOptions extends TagToken, KeyOption {
  /** Only where the tag's version is still this one (`NAME$ts`). */
  readonly ifId?: string | undefined;
}

/** An attribute by which a tag's own parts are reached. */
export type TagPart = "ddfs:urls" | "ddfs:read-token" | "ddfs:write-token";

/** Limits of Disco (`ddfs_tag.hrl`). */
export const attributeNameBytesMax = 1_024;
export const attributeValueBytesMax = 4_096;
export const attributesMax = 1_000;
const tokenLengthMax = 1_024;
const defaultDelayMs = 1_000;
const tagParts: ReadonlySet<string> = new Set(["ddfs:urls", "ddfs:read-token", "ddfs:write-token"]);

export class TagService {
  readonly #parts: TagServiceParts;
  readonly #delayed: DelayedUpdates;
  /** By key: one that comes again while the first is being carried out. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(parts: TagServiceParts) {
    this.#parts = parts;
    this.#delayed = new DelayedUpdates({
      record: (name, urls, keys) => this.#record(name, { kind: "link", urls }, {}, keys),
      assertAlive: (urls) => this.#tags.assertAlive(urls),
      delayMs: parts.delayMs ?? defaultDelayMs,
    });
  }

  /** In ascending order. */
  async names(prefix = ""): Promise<string[]> {
    await this.#parts.decider.assured();
    const names = this.#tags.names(prefix);
    return prefix.startsWith(snapshotName) ? names : names.filter((name) => name !== snapshotName);
  }

  /** The tag as it is now; it is not to be changed. @throws DiscoError `bad-name`, `unknown-tag`, `tag-unauthorized` */
  async tag(name: string, token: TagToken = {}): Promise<Tag> {
    await this.#parts.decider.assured();
    const tag = this.#known(name);
    assertMay(tag, "read", token);
    return tag;
  }

  /** @throws DiscoError as `tag`, and `unknown-attribute` */
  async attribute(name: string, attribute: string, token: TagToken = {}): Promise<unknown> {
    await this.#parts.decider.assured();
    const tag = this.#known(name);
    if (attribute === "ddfs:write-token") {
      assertMay(tag, "write", token);
      return tag.writeToken;
    }
    assertMay(tag, "read", token);
    if (attribute === "ddfs:read-token") return tag.readToken;
    if (attribute === "ddfs:urls") return [...tag.urls.sets()];
    if (!tag.attributes.has(attribute)) throw unknownAttribute(name, attribute);
    return tag.attributes.get(attribute);
  }

  /**
   * Adds URLs, before those that are there; a tag that does not exist is made. Returns the id of the version that has them.
   * @throws DiscoError `bad-name`, `bad-url`, `tag-unauthorized`, `blob-condemned`, and what the master throws
   */
  async link(name: string, urls: unknown, options: LinkOptions = {}): Promise<string> {
    return await this.linkParts(name, urlParts(urls), options);
  }

  /** As `link`, of a list that was checked already. */
  async linkParts(name: string, parts: readonly UrlText[], options: LinkOptions = {}): Promise<string> {
    const { delayed, update, key, ...token } = options;
    const tag = this.#writable(name, token);
    await this.#once(key, () => {
      const [first = ""] = parts;
      if (delayed === true && tag !== undefined && update !== true && parts.length <= 1) {
        this.#tags.assertAlive(first);
        return this.#delayed.add(name, first, key);
      }
      const change = { kind: "link", ...(update === true ? { dedupe: true } : {}) } as const;
      return this.#change(name, change, parts, { ...token, key });
    });
    return this.#tags.tag(name)?.id ?? name;
  }

  /** Replaces the tag's URLs. @throws DiscoError as `link`, and `tag-changed` */
  async put(name: string, urls: unknown, options: ReplaceOptions = {}): Promise<string> {
    return await this.putParts(name, urlParts(urls), options);
  }

  /** As `put`, of a list that was checked already. */
  async putParts(name: string, parts: readonly UrlText[], options: ReplaceOptions = {}): Promise<string> {
    this.#writable(name, options);
    await this.#once(options.key, () => this.#change(name, { kind: "put" }, parts, options));
    return this.#tags.tag(name)?.id ?? name;
  }

  /**
   * Brings a list that is to replace the tag's into the journal, all but the event that makes it true: what this resolves with gives it, to
   * be recorded with others in the turn in which it was made, and throws `blob-condemned`. `token`: of a tag that it makes.
   */
  async prepare(name: string, urls: unknown, token?: string): Promise<() => DdfsEvent> {
    this.#writable(name, { master: true });
    const parts = urlParts(urls);
    const last = parts.at(-1) ?? "";
    const staged = parts.length > 1 ? { staged: randomUUID() } : {};
    if (staged.staged !== undefined) await this.#stage(staged.staged, parts.slice(0, -1));
    return () => {
      if (staged.staged !== undefined) this.#tags.assertStaged(staged.staged);
      this.#tags.assertAlive(last);
      return this.#event(name, { kind: "put", urls: last, ...staged }, [], token);
    };
  }

  /** @throws DiscoError as `link`, and `bad-attribute` */
  async setAttribute(name: string, attribute: string, value: unknown, token: TagToken = {}): Promise<string> {
    if (attribute === "ddfs:urls") return await this.put(name, value, token);
    const tag = this.#writable(name, token);
    await this.#record(name, this.#attributeChange(tag, name, attribute, value), token);
    return this.#tags.tag(name)?.id ?? name;
  }

  /** One that the tag does not have is gone already. @throws DiscoError as `tag`, and `bad-attribute` */
  async deleteAttribute(name: string, attribute: string, token: TagToken = {}): Promise<void> {
    const tag = this.#known(name);
    assertMay(tag, "write", token);
    if (attribute === "ddfs:read-token" || attribute === "ddfs:write-token") {
      const which = attribute === "ddfs:read-token" ? "read" : "write";
      await this.#record(name, { kind: "set-token", which, token: null }, token);
      return;
    }
    if (attribute.startsWith("ddfs:")) throw badAttribute(`${attribute} cannot be deleted`);
    if (!tag.attributes.has(attribute)) return;
    await this.#record(name, { kind: "delete-attribute", name: attribute }, token);
  }

  /** One that does not exist is gone already. @throws DiscoError `bad-name`, `tag-unauthorized`, `tag-changed` */
  async delete(name: string, { ifId, ...token }: ReplaceOptions = {}): Promise<void> {
    if (this.#writable(name, token) === undefined) return;
    this.#delayed.flush(name);
    this.#assertVersion(name, ifId);
    const { decider, now } = this.#parts;
    decider.record([{ kind: "tag-deleted", at: now(), tag: name }]);
    await decider.committed();
  }

  /** @throws DiscoError `bad-name`, `tag-unauthorized`, and what keeps the master from changing anything */
  assertWritable(name: string, token: TagToken = {}): void {
    this.#writable(name, token);
  }

  /** What waits to be recorded together is recorded now. */
  async flush(): Promise<void> {
    this.#delayed.flushAll();
    await this.#parts.decider.committed();
  }

  get #tags(): Decider["machine"]["tags"] {
    return this.#parts.decider.machine.tags;
  }

  #known(name: string): Tag {
    assertName(name);
    const tag = this.#tags.tag(name);
    if (tag !== undefined) return tag;
    throw new DiscoError(`there is no tag ${name}`, {
      code: "unknown-tag",
      url: `tag://${name}`,
      hint: "`ddfs ls` names all tags.",
    });
  }

  #writable(name: string, token: TagToken): Tag | undefined {
    assertName(name);
    this.#parts.decider.assertRoom();
    const tag = this.#tags.tag(name);
    if (tag !== undefined) assertMay(tag, "write", token);
    return tag;
  }

  /** In the turn in which the change is recorded: nothing comes between. */
  #assertVersion(name: string, id: string | undefined): void {
    if (id === undefined || this.#tags.tag(name)?.id === id) return;
    throw new DiscoError(`the tag ${name} is not as it was in version ${id}`, {
      code: "tag-changed",
      url: `tag://${name}`,
      hint: "Somebody changed it meanwhile: read it again.",
    });
  }

  #attributeChange(tag: Tag | undefined, name: string, attribute: string, value: unknown): TagChange {
    if (tagParts.has(attribute)) {
      if (value !== null && (typeof value !== "string" || value.length > tokenLengthMax))
        throw badAttribute(`a token is a text of at most ${tokenLengthMax} characters`);
      return { kind: "set-token", which: attribute === "ddfs:read-token" ? "read" : "write", token: value };
    }
    if (attribute === "" || attribute.startsWith("ddfs:"))
      throw badAttribute(`${JSON.stringify(attribute)} is no attribute that can be set`);
    if (Buffer.byteLength(attribute) > attributeNameBytesMax)
      throw badAttribute(`the name of an attribute has at most ${attributeNameBytesMax} bytes`);
    const json = JSON.stringify(value);
    if (json === undefined) throw badAttribute(`the value of ${attribute} is not JSON`);
    if (Buffer.byteLength(json) > attributeValueBytesMax)
      throw badAttribute(`the value of ${attribute} has more than ${attributeValueBytesMax} bytes`);
    const { attributes } = tag ?? { attributes: new Map<string, unknown>() };
    if (!attributes.has(attribute) && attributes.size >= attributesMax)
      throw badAttribute(`${name} has ${attributesMax} attributes already`);
    return { kind: "set-attribute", name: attribute, value };
  }

  /** A list of any length: its parts are staged, and count with the last event. */
  async #change(
    name: string,
    change: { readonly kind: "link"; readonly dedupe?: boolean } | { readonly kind: "put" },
    parts: readonly UrlText[],
    { ifId, key, ...token }: ReplaceOptions,
  ): Promise<void> {
    this.#delayed.flush(name);
    if (change.kind === "link" && change.dedupe === true) {
      await this.#learnNames(name);
      this.#writable(name, token);
    }
    const keys = key === undefined ? [] : [key];
    const last = parts.at(-1) ?? "";
    if (parts.length <= 1) {
      this.#assertVersion(name, ifId);
      this.#tags.assertAlive(last);
      await this.#record(name, { ...change, urls: last }, token, keys);
      return;
    }
    const update = randomUUID();
    try {
      await this.#stage(update, parts.slice(0, -1));
      // In the same turn as the event: what the core refuses must not get so far.
      this.#writable(name, token);
      this.#assertVersion(name, ifId);
      this.#tags.assertStaged(update);
      this.#tags.assertAlive(last);
    } catch (error) {
      this.#drop(update);
      throw error;
    }
    await this.#record(name, { ...change, urls: last, staged: update }, token, keys);
  }

  /** Of a list of a million URLs it takes a second, in which others are answered. */
  async #learnNames(name: string): Promise<void> {
    const before = this.#tags.tag(name)?.urls;
    while (before?.learnNames() === false) await new Promise((resolve) => setImmediate(resolve));
  }

  async #stage(update: string, parts: readonly UrlText[]): Promise<void> {
    const { decider, now } = this.#parts;
    for (const urls of parts) {
      decider.record([{ kind: "urls-staged", at: now(), update, urls }]);
      // The journal's pace is the pace of this: a million URLs do not wait in memory.
      await decider.committed();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #drop(update: string): void {
    const { decider, now } = this.#parts;
    try {
      decider.record([{ kind: "urls-staged", at: now(), update, urls: "", dropped: true }]);
    } catch {
      // Whoever leads next drops them.
    }
  }

  #record(name: string, change: TagChange, { token }: TagToken, keys: readonly string[] = []): Promise<void> {
    const { decider } = this.#parts;
    decider.record([this.#event(name, change, keys, token)]);
    return decider.committed();
  }

  #event(name: string, change: TagChange, keys: readonly string[], token?: string): DdfsEvent {
    const at = this.#parts.now();
    const before = this.#tags.tag(name);
    const micros = Math.max(Math.floor(at) * 1000, (partsOfObject(before?.id ?? "")?.micros ?? 0) + 1);
    // As Disco has it: who makes a tag and shows a token has it protected by that one.
    const tokens = before === undefined && token !== undefined ? { tokens: { read: token, write: token } } : {};
    const done = keys.length === 0 ? {} : { keys };
    return { kind: "tag-changed", at, tag: name, id: objectOf(name, micros), change, ...done, ...tokens };
  }

  /** Carries it out, unless that was done, or is being done, for the same request. */
  async #once(key: string | undefined, act: () => Promise<void>): Promise<void> {
    if (key === undefined) return await act();
    if (this.#tags.hasDone(key)) return await this.#parts.decider.committed();
    let doing = this.#underWay.get(key);
    if (doing === undefined) {
      doing = act().finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, doing);
    }
    await doing;
  }
}

function unknownAttribute(name: string, attribute: string): DiscoError {
  return new DiscoError(`the tag ${name} has no attribute ${attribute}`, { code: "unknown-attribute" });
}

function badAttribute(message: string): DiscoError {
  return new DiscoError(message, { code: "bad-attribute" });
}
