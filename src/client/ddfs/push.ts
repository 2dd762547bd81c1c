/**
 * `DDFS.push`: files to blobs, several at a time, then one change of the tag that names them all. Nothing is tagged unless everything is
 * stored; what was stored of a push that failed is named by no tag, and collected.
 */
import { blobNameOf } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { badOption } from "../bad-option.ts";
import { shown } from "../option-checks.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { defaultConcurrency, defaultRetries, type Pushed, type PushOptions } from "./ddfs-options.ts";
import { inParallel } from "./in-parallel.ts";
import { pushBlob } from "./push-blob.ts";
import { listSources, type PushSource } from "./push-source.ts";
import type { TagAddress } from "./tag-address.ts";

/** @throws DiscoError `tag-unauthorized`, `same-name`; as `listSources` and `pushBlob` */
export async function push(api: DdfsApi, tag: TagAddress, files: unknown, options: PushOptions): Promise<Pushed> {
  const sources = await listSources(files);
  if (options.update === true) assertNamesDiffer(sources.map(({ name }) => name));
  await assertMayChange(api, tag);
  const sizes = sources.map(({ size }) => size);
  const bytes = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const storing = new Storing(api, options, { blobs: sources.length, bytes });
  const { concurrency = defaultConcurrency, signal } = options;
  const blobs = await inParallel(sources, concurrency, signal, (source, _i, stop) => storing.store(source, stop));
  return await storing.link(tag, blobs);
}

/** Totals: `null` where they are not known. */
interface Totals {
  readonly blobs: number | null;
  readonly bytes: number | null;
}

/** What the blobs of one call have in common. */
export class Storing {
  readonly #api: DdfsApi;
  readonly #options: PushOptions;
  readonly #told: Told;

  /** @throws JobError `bad-option` */
  constructor(api: DdfsApi, options: PushOptions, totals: Totals) {
    const { replicas, minReplicas } = options;
    if (replicas !== undefined && minReplicas !== undefined && minReplicas > replicas) {
      throw badOption(
        `minReplicas: at most ${replicas} was expected, the number of replicas, not ${shown(minReplicas)}`,
      );
    }
    this.#api = api;
    this.#options = options;
    this.#told = new Told(options, totals);
  }

  /** Returns the addresses of the replicas. */
  async store(source: PushSource, signal: AbortSignal): Promise<string[]> {
    const { replicas, minReplicas, forceon = [], retries = defaultRetries } = this.#options;
    const told = this.#told.of(source);
    const urls = await pushBlob(this.#api, source, {
      replicas,
      minReplicas,
      include: forceon,
      retries,
      signal,
      progress: told.sent,
    });
    told.stored();
    return urls;
  }

  async link({ name, token }: TagAddress, blobs: string[][]): Promise<Pushed> {
    const { delayed, update } = this.#options;
    if (update === true) assertNamesDiffer(blobs.map(([url = ""]) => blobNameOf(url)));
    return [await this.#api.link(name, blobs, { token, delayed, update }), blobs];
  }
}

/** `update` keeps one blob of a name: of two in one call the other one would be nowhere. @throws DiscoError `same-name` */
function assertNamesDiffer(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw new DiscoError(`two blobs would be called ${name}, and update keeps one of a name`, {
        code: "same-name",
        retry: "never",
        hint: "Nothing was tagged. Give them names that differ, or leave out update.",
      });
    }
    seen.add(name);
  }
}

/** Said before anything is sent: who may not change a tag need not upload for it. @throws DiscoError `tag-unauthorized`, `bad-name` */
export async function assertMayChange(api: DdfsApi, { name, token }: TagAddress): Promise<void> {
  try {
    await api.getAttr(name, "ddfs:write-token", { token });
  } catch (error) {
    // A tag that is not there yet is made; what else is wrong will be seen.
    if ((error as { readonly code?: unknown }).code === "tag-unauthorized") throw error;
  }
}

/** Counts for `progress`. */
class Told {
  readonly #tell: PushOptions["progress"];
  readonly #totals: Totals;
  #blobs = 0;
  #bytes = 0;

  constructor({ progress }: PushOptions, totals: Totals) {
    this.#tell = progress;
    this.#totals = totals;
  }

  of({ name, size }: PushSource): { readonly sent: (bytes: number) => void; readonly stored: () => void } {
    let before = 0;
    const tell = (bytes: number, isStored: boolean): void => {
      // Less than before: it is sent anew.
      this.#bytes += bytes - before;
      before = bytes;
      if (isStored) this.#blobs++;
      const { blobs: blobsTotal, bytes: bytesTotal } = this.#totals;
      const known = { blobs: this.#blobs, blobsTotal, bytesSent: this.#bytes, bytesTotal };
      this.#tell?.({ name, bytes, size: isStored ? bytes : size, isStored, ...known });
    };
    return { sent: (bytes) => tell(bytes, false), stored: () => tell(before, true) };
  }
}
