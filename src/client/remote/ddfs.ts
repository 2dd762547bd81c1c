/**
 * DDFS of a master elsewhere. Tags and places are asked of the master, as `Questions` does: again, of the next master, until it is
 * answered; updates carry a key, so that one whose answer was lost is not carried out twice. Bytes go to and from the nodes themselves
 * where they can be reached from here, and through the master where they cannot.
 */
import { randomUUID } from "node:crypto";
import { assertName, type BlobAddress, isStoreHost, parseBlobAddress } from "../../core/ddfs/names.ts";
import { DataError, DiscoError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import { replicaAddress } from "../../protocol/ddfs/replica-address.ts";
import type {
  BlobTarget,
  DdfsApi,
  FsckFinding,
  GcReport,
  GcStatus,
  NewBlobOptions,
  NodeScrub,
  NodeSpace,
  PutBlob,
  ReplaceOptions,
  TagContents,
  TokenOption,
  UpdateOptions,
} from "../ddfs/ddfs-api.ts";
import type { DistantBlobs } from "./distant-blobs.ts";
import type { Question, Questions } from "./questions.ts";

type Urls = readonly (readonly string[])[];
type OpenedBlob = Awaited<ReturnType<DdfsApi["openBlob"]>>;

/** A list of a million URLs is recorded in parts before it is answered. */
const listIdleMs = 600_000;
/** Entries of a list that are made bytes of at a time: no text of the whole is made. */
const entriesAtOnce = 10_000;

export class RemoteDdfs implements DdfsApi {
  readonly #questions: Questions;
  #blobs: Promise<DistantBlobs> | null = null;

  constructor(questions: Questions) {
    this.#questions = questions;
  }

  async newBlob(name: string, { replicas, include = [], exclude = [] }: NewBlobOptions = {}): Promise<BlobTarget[]> {
    assertName(name);
    const query = new URLSearchParams();
    if (replicas !== undefined) query.set("replicas", String(replicas));
    if (include.length > 0) query.set("include", include.join(","));
    if (exclude.length > 0) query.set("exclude", exclude.join(","));
    return await this.#get<BlobTarget[]>(`/new_blob/${encodeURIComponent(name)}?${query}`);
  }

  async putBlob(
    target: BlobTarget,
    body: AsyncIterable<Uint8Array>,
    options: PutBlob = {},
  ): Promise<StoredBlob & { url: string }> {
    return await (await this.#distant()).put(target, body, options);
  }

  async openBlob(
    url: string,
    options: { readonly from?: number; readonly signal?: AbortSignal } = {},
  ): Promise<OpenedBlob> {
    const opened = await (await this.#distant()).open(addressIn(url), options);
    if (opened !== null) return opened;
    throw new DataError(`${url} is not there`, { code: "no-such-blob", url });
  }

  async statBlob(url: string): Promise<StoredBlob | null> {
    return await (await this.#distant()).stat(addressIn(url));
  }

  async tags(prefix = ""): Promise<string[]> {
    if (prefix !== "") assertName(prefix);
    return await this.#get<string[]>(`/tags/${encodeURIComponent(prefix)}`);
  }

  async tag(name: string, token: TokenOption = {}): Promise<TagContents> {
    return await this.#get<TagContents>(tagPath(name), token);
  }

  async getAttr(name: string, attribute: string, token: TokenOption = {}): Promise<unknown> {
    return await this.#get(tagPath(name, attribute), token);
  }

  async setAttr(name: string, attribute: string, value: unknown, token: TokenOption = {}): Promise<void> {
    const json = JSON.stringify(value) as string | undefined;
    if (json === undefined) throw new DiscoError(`the value of ${attribute} is not JSON`, { code: "bad-attribute" });
    await this.#ask({
      method: "PUT",
      path: tagPath(name, attribute),
      headers: headersOf(token),
      body: Buffer.from(json),
    });
  }

  async delAttr(name: string, attribute: string, token: TokenOption = {}): Promise<void> {
    await this.#once(
      { method: "DELETE", path: tagPath(name, attribute), headers: headersOf(token) },
      "unknown-attribute",
    );
  }

  async link(name: string, urls: Urls, { delayed, update, token }: UpdateOptions = {}): Promise<string[]> {
    const query = new URLSearchParams();
    if (delayed === true) query.set("delayed", "1");
    if (update === true) query.set("update", "1");
    const path = `${tagPath(name)}?${query}`;
    return await this.#sendUrls({ method: "POST", path, headers: { ...headersOf({ token }), ...newKey() } }, urls);
  }

  async putTag(name: string, urls: Urls, { ifId, token }: ReplaceOptions = {}): Promise<string[]> {
    const headers = { ...headersOf({ token }), ...newKey(), ...matching(ifId) };
    return await this.#sendUrls({ method: "PUT", path: tagPath(name), headers }, urls);
  }

  async deleteTag(name: string, { ifId, token }: ReplaceOptions = {}): Promise<void> {
    await this.#ask({ method: "DELETE", path: tagPath(name), headers: { ...headersOf({ token }), ...matching(ifId) } });
  }

  async space(): Promise<NodeSpace[]> {
    return await this.#get<NodeSpace[]>("/space");
  }

  async hostedTags(host: string): Promise<string[]> {
    return await this.#get<string[]>(`/hosted-tags?${new URLSearchParams({ host })}`);
  }

  async gcStart(): Promise<void> {
    await this.#once({ method: "POST", path: "/gc", body: new Uint8Array(0) }, "gc-running");
  }

  async gcStatus(): Promise<GcStatus> {
    return await this.#get<GcStatus>("/gc");
  }

  async gcStats(): Promise<GcReport | null> {
    return await this.#get<GcReport | null>("/gc-stats");
  }

  async safeGcBlacklist(): Promise<string[]> {
    return await this.#get<string[]>("/gc-safe");
  }

  async scrubStart({ bytesPerSecond }: { readonly bytesPerSecond?: number } = {}): Promise<void> {
    const query = bytesPerSecond === undefined ? "" : `?bytes_per_second=${bytesPerSecond}`;
    await this.#ask({ method: "POST", path: `/scrub${query}`, body: new Uint8Array(0) });
  }

  async scrubStatus(): Promise<NodeScrub[]> {
    return await this.#get<NodeScrub[]>("/scrub");
  }

  /** Begun anew it would tell what it has told: a connection that breaks off is an error. */
  async *fsck(): AsyncGenerator<FsckFinding> {
    const question: Question = { method: "GET", path: "/ddfs/fsck", idleMs: listIdleMs, lasts: true };
    const { body } = await this.#questions.attempt(undefined, () => this.#questions.request(question));
    let rest = "";
    for await (const text of body.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as FsckFinding;
    }
  }

  /** Ends connections to nodes; those to the master are the master's. */
  close(): void {
    void this.#blobs?.then((blobs) => blobs.close());
  }

  #distant(): Promise<DistantBlobs> {
    this.#blobs ??= import("./distant-blobs.ts").then(({ DistantBlobs }) => new DistantBlobs(this.#questions));
    return this.#blobs;
  }

  async #get<T>(path: string, token: TokenOption = {}): Promise<T> {
    return await this.#ask<T>({ method: "GET", path, headers: headersOf(token) });
  }

  async #ask<T>(question: Question): Promise<T> {
    return JSON.parse(await this.#questions.askText({ ...question, path: `/ddfs${question.path}` })) as T;
  }

  async #sendUrls(question: Question, urls: Urls): Promise<string[]> {
    return await this.#ask<string[]>({ ...question, body: encoded(urls), idleMs: listIdleMs });
  }

  /** As `#ask`, of what fails when it has been done before: where an answer was lost, that error says that the question had arrived. */
  async #once(question: Question, doneCode: string): Promise<void> {
    let attempts = 0;
    await this.#questions.attempt(question.signal, async () => {
      attempts++;
      try {
        const { body } = await this.#questions.request({ ...question, path: `/ddfs${question.path}` });
        body.resume();
      } catch (error) {
        if (attempts === 1 || !(error instanceof DiscoError) || error.code !== doneCode) throw error;
      }
    });
  }
}

function tagPath(name: string, attribute = ""): string {
  assertName(name);
  const path = `/tag/${encodeURIComponent(name)}`;
  return attribute === "" ? path : `${path}/${attribute.split("/").map(encodeURIComponent).join("/")}`;
}

function headersOf({ token }: TokenOption): Record<string, string> {
  return token === undefined ? {} : { "disco-tag-token": encodeURIComponent(token) };
}

function newKey(): Record<string, string> {
  return { "idempotency-key": randomUUID() };
}

function matching(ifId: string | undefined): Record<string, string> {
  return ifId === undefined ? {} : { "if-match": `"${ifId}"` };
}

function encoded(urls: Urls): Uint8Array {
  const parts: Buffer[] = [];
  for (let from = 0; from < urls.length; from += entriesAtOnce) {
    const some = JSON.stringify(urls.slice(from, from + entriesAtOnce));
    parts.push(Buffer.from(`${from === 0 ? "[" : ","}${some.slice(1, -1)}`, "utf8"));
  }
  if (parts.length === 0) return Buffer.from("[]");
  return Buffer.concat([...parts, Buffer.from("]")]);
}

function addressIn(url: string): BlobAddress {
  const address = parseBlobAddress(url);
  if (address !== null) return address;
  throw new DataError(`${url} is not the address of a blob`, { code: "bad-url", retry: "never", url });
}

/** Where a blob lies on its node's server: `/ddfs/vol0/blob/HH/OBJECT`. */
export function pathOfBlob({ host, volume, object }: BlobAddress): string {
  // A store has the same path at every server that serves it.
  const address = replicaAddress(isStoreHost(host) ? "store" : host, volume, object);
  return address.slice(address.indexOf("/ddfs/"));
}
