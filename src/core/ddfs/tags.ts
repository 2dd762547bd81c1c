/**
 * Tags and garbage collection as the master knows them: the fold of DDFS's events (`events.ts`).
 *
 * TG1. A tag's version names it and rises: an event that changes it gives it a new `id`, one that adds nothing leaves it.
 * TG2. A list that was staged in parts is seen whole or not at all.
 * TG3. No tag names a condemned blob: a change that would is refused before it is recorded.
 * TG4. A line keeps at least one of its replicas, whatever garbage collection says.
 * TG5. A request with a key is carried out once, also where its answer was lost and it comes again, to whichever master.
 */
import { DiscoError } from "../../errors.ts";
import type {
  DdfsEvent,
  GcEnded,
  GcStats,
  ReplicasChanged,
  TagChange,
  TagChanged,
  UrlsStaged,
  UrlText,
} from "./events.ts";
import { linesOf, objectsOfLine, type Replicas, UrlList } from "./url-lists.ts";

export interface Tag {
  readonly name: string;
  /** `NAME$ts` of the present version. */
  id: string;
  /** Milliseconds since 1970. */
  modifiedAt: number;
  urls: UrlList;
  readonly attributes: Map<string, unknown>;
  readToken: string | null;
  writeToken: string | null;
}

/** The last run of garbage collection that ended. */
export interface LastGc {
  readonly gc: number;
  readonly at: number;
  readonly stats: GcStats;
  readonly safe: readonly string[];
}

/** What was named, by tags or by parts of updates, since `Tags.watch` was called. No event: nothing is decided by it. */
export interface NameWatch {
  has(object: string): boolean;
  end(): void;
}

interface Staged {
  readonly parts: UrlText[];
  /** `#condemnings` when the first part came: no more was condemned since, and no part has to be looked through again. */
  readonly since: number;
  /** A condemned object that a part names. */
  dead: string | null;
}

/** Keys of so many requests are remembered: more than come within the minutes in which a request is repeated. */
const keysMax = 10_000;
const namedListsMax = 8;

export class Tags {
  readonly #watches = new Set<Set<string>>();
  readonly #tags = new Map<string, Tag>();
  readonly #staged = new Map<string, Staged>();
  readonly #condemned = new Set<string>();
  /** Rises with what is condemned. */
  #condemnings = 0;
  /** Lists whose names are known, the one used last at the end. */
  readonly #named = new Set<UrlList>();
  /** The oldest first. */
  readonly #keys = new Set<string>();
  #names: string[] | null = null;
  /** `cluster-named`; `null`: not yet. */
  cluster: string | null = null;
  /** Milliseconds since 1970 of that: blobs of before are of another journal, which may have named them. */
  namedAt = 0;
  /** Number of the newest run, which may have ended. */
  gc = 0;
  lastGc: LastGc | null = null;
  /** Rises with every change of a tag. */
  version = 0;

  /** @throws DiscoError `blob-condemned`, `unknown-tag`, `no-parts`, `old-gc`: then nothing has changed */
  handle(event: DdfsEvent): void {
    switch (event.kind) {
      case "cluster-named":
        // The name of the blobs that are there goes before that of a journal which has no tags yet (`disco rebuild`).
        if (this.cluster === null || this.#tags.size === 0) [this.cluster, this.namedAt] = [event.id, event.at];
        return;
      case "urls-staged": {
        this.#stage(event);
        return;
      }
      case "tag-changed":
        this.#changed(event);
        break;
      case "tag-deleted":
        if (this.#tags.delete(event.tag)) this.#names = null;
        break;
      case "replicas-changed":
        this.#replicas(event);
        break;
      case "gc-started":
        if (event.gc <= this.gc) throw new DiscoError(`garbage collection ${event.gc} is not new`, { code: "old-gc" });
        this.gc = event.gc;
        return;
      case "blobs-condemned":
        this.#assertNewest(event.gc);
        for (const object of event.objects) this.#condemned.add(object);
        this.#condemnings++;
        return;
      case "blobs-gone":
        for (const object of event.objects) this.#condemned.delete(object);
        return;
      case "gc-ended":
        this.#ended(event);
        return;
    }
    this.version++;
  }

  /** Another master leads: parts of updates that its predecessor had begun are nobody's. */
  masterStarted(): void {
    this.#staged.clear();
  }

  tag(name: string): Tag | undefined {
    return this.#tags.get(name);
  }

  get size(): number {
    return this.#tags.size;
  }

  all(): IterableIterator<Tag> {
    return this.#tags.values();
  }

  /** In ascending order. */
  names(prefix = ""): string[] {
    this.#names ??= [...this.#tags.keys()].sort();
    return prefix === "" ? [...this.#names] : this.#names.filter((name) => name.startsWith(prefix));
  }

  isCondemned(object: string): boolean {
    return this.#condemned.has(object);
  }

  condemned(): ReadonlySet<string> {
    return this.#condemned;
  }

  /** Notes what is named from now on, until it is ended: who reads all tags bit by bit misses nothing. */
  watch(): NameWatch {
    const objects = new Set<string>();
    this.#watches.add(objects);
    return { has: (object) => objects.has(object), end: () => this.#watches.delete(objects) };
  }

  /** Parts of updates that are not whole yet: what they name will soon be named. */
  *staged(): Generator<UrlText> {
    for (const { parts } of this.#staged.values()) yield* parts;
  }

  /** @throws DiscoError `blob-condemned` when a line names a blob that is being deleted (TG3) */
  assertAlive(text: UrlText): void {
    const object = this.#condemnedIn(text);
    if (object !== null) throw condemned(object);
  }

  /** As `assertAlive`, of parts that are staged. @throws DiscoError `no-parts` as well */
  assertStaged(update: string): void {
    const staged = this.#staged.get(update);
    if (staged === undefined) throw new DiscoError("parts of an update are missing", { code: "no-parts" });
    if (staged.dead !== null) throw condemned(staged.dead);
    if (staged.since !== this.#condemnings) for (const part of staged.parts) this.assertAlive(part);
  }

  /** The request with that key was carried out (TG5). */
  hasDone(key: string): boolean {
    return this.#keys.has(key);
  }

  save(): TagsSnapshot {
    const { cluster, namedAt, gc, lastGc } = this;
    return {
      cluster,
      namedAt,
      gc,
      lastGc,
      condemned: [...this.#condemned].sort(),
      ...(this.#staged.size === 0 ? {} : { staged: [...this.#staged].map(([id, { parts }]) => [id, [...parts]]) }),
      ...(this.#keys.size === 0 ? {} : { keys: [...this.#keys] }),
      tags: this.names().flatMap((name) => {
        const tag = this.#tags.get(name);
        if (tag === undefined) return [];
        const { id, modifiedAt, urls, attributes, readToken, writeToken } = tag;
        return [{ name, id, modifiedAt, urls: urls.save(), attributes: [...attributes], readToken, writeToken }];
      }),
    };
  }

  static restore(from: TagsSnapshot): Tags {
    const tags = new Tags();
    tags.cluster = from.cluster;
    tags.namedAt = from.namedAt ?? 0;
    tags.gc = from.gc;
    tags.lastGc = from.lastGc;
    for (const object of from.condemned) tags.#condemned.add(object);
    for (const [update, parts] of from.staged ?? []) {
      for (const urls of parts) tags.#stage({ kind: "urls-staged", at: 0, update, urls });
    }
    for (const key of from.keys ?? []) tags.#keys.add(key);
    for (const { urls, attributes, ...tag } of from.tags)
      tags.#tags.set(tag.name, { ...tag, urls: UrlList.restore(urls), attributes: new Map(attributes) });
    return tags;
  }

  #stage({ update, urls, dropped }: UrlsStaged): void {
    if (dropped === true) {
      this.#staged.delete(update);
      return;
    }
    let staged = this.#staged.get(update);
    if (staged === undefined) this.#staged.set(update, (staged = { parts: [], since: this.#condemnings, dead: null }));
    staged.parts.push(urls);
    staged.dead ??= this.#condemnedIn(urls);
    this.#note(urls);
  }

  #changed({ tag: name, id, at, change, keys = [], tokens }: TagChanged): void {
    const update = "staged" in change ? change.staged : undefined;
    if (update !== undefined) this.assertStaged(update);
    const parts = update === undefined ? [] : (this.#staged.get(update)?.parts ?? []);
    if (change.kind === "link" || change.kind === "put") {
      this.assertAlive(change.urls);
      this.#note(change.urls);
    }
    let tag = this.#tags.get(name);
    const isNew = tag === undefined;
    if (tag === undefined) {
      if (change.kind === "delete-attribute") throw new DiscoError(`there is no tag ${name}`, { code: "unknown-tag" });
      const { read = null, write = null } = tokens ?? {};
      const attributes = new Map<string, unknown>();
      tag = { name, id, modifiedAt: at, urls: new UrlList(), attributes, readToken: read, writeToken: write };
      this.#tags.set(name, tag);
      this.#names = null;
    }
    this.#done(keys);
    if (!this.#apply(tag, change, parts) && !isNew) return;
    tag.id = id;
    tag.modifiedAt = at;
  }

  /** Whether that changes anything. */
  #apply(tag: Tag, change: TagChange, parts: readonly UrlText[]): boolean {
    switch (change.kind) {
      case "put":
      case "link": {
        const isPut = change.kind === "put";
        if (isPut) tag.urls = new UrlList();
        // The newest line comes first: what was staged last, or is in the event itself, is the end of the list.
        const dedupe = change.kind === "link" && change.dedupe === true;
        const texts = [...parts, change.urls].filter((text) => text !== "");
        let added = false;
        if (texts.length === 1 || dedupe) added = tag.urls.add(texts.join("\n"), dedupe);
        else for (const text of texts.reverse()) added = tag.urls.add(text) || added;
        if (dedupe) this.#keepNames(tag.urls);
        if (change.staged !== undefined) this.#staged.delete(change.staged);
        return isPut || added;
      }
      case "set-attribute":
        tag.attributes.set(change.name, change.value);
        return true;
      case "delete-attribute":
        return tag.attributes.delete(change.name);
      case "set-token":
        tag[change.which === "read" ? "readToken" : "writeToken"] = change.token;
        return true;
    }
  }

  /** Names take as much memory as the URLs: those of few lists are kept. */
  #keepNames(urls: UrlList): void {
    this.#named.delete(urls);
    this.#named.add(urls);
    for (const list of this.#named) {
      if (this.#named.size <= namedListsMax) return;
      this.#named.delete(list);
      list.forget();
    }
  }

  #done(keys: readonly string[]): void {
    for (const key of keys) this.#keys.add(key);
    for (const key of this.#keys) {
      if (this.#keys.size <= keysMax) return;
      this.#keys.delete(key);
    }
  }

  #condemnedIn(text: UrlText): string | null {
    if (this.#condemned.size === 0) return null;
    for (const line of linesOf(text)) {
      const object = objectsOfLine(line).find((one) => this.#condemned.has(one));
      if (object !== undefined) return object;
    }
    return null;
  }

  #note(text: UrlText): void {
    if (this.#watches.size === 0) return;
    for (const line of linesOf(text)) {
      for (const object of objectsOfLine(line)) for (const seen of this.#watches) seen.add(object);
    }
  }

  #replicas({ changes, tags }: ReplicasChanged): void {
    const byObject = new Map<string, Replicas>(changes.map((change) => [change.object, change]));
    const touched = tags === undefined ? this.#tags.values() : tags.flatMap((name) => this.#tags.get(name) ?? []);
    for (const tag of touched) tag.urls.change(byObject);
  }

  #ended({ gc, at, stats, safe }: GcEnded): void {
    this.#assertNewest(gc);
    this.lastGc = { gc, at, stats, safe };
  }

  #assertNewest(gc: number): void {
    if (gc !== this.gc)
      throw new DiscoError(`garbage collection ${gc} is over: ${this.gc} has begun`, { code: "old-gc" });
  }
}

function condemned(object: string): DiscoError {
  return new DiscoError(`${object} is being deleted: no tag has named it for a long time`, {
    code: "blob-condemned",
    hint: "Push the blob again, and tag it soon after.",
  });
}

export interface TagsSnapshot {
  readonly cluster: string | null;
  readonly namedAt?: number;
  readonly gc: number;
  readonly lastGc: LastGc | null;
  readonly condemned: readonly string[];
  readonly staged?: readonly (readonly [update: string, parts: readonly UrlText[]])[];
  readonly keys?: readonly string[];
  readonly tags: readonly {
    readonly name: string;
    readonly id: string;
    readonly modifiedAt: number;
    readonly urls: readonly UrlText[];
    readonly attributes: readonly (readonly [name: string, value: unknown])[];
    readonly readToken: string | null;
    readonly writeToken: string | null;
  }[];
}
