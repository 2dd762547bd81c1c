/**
 * `DDFS.push`: files to blobs, several at a time, then one change of the tag that names them all. Nothing is tagged unless everything is
 * stored; what was stored of a push that failed is named by no tag, and collected.
 */
import { badOption } from "../bad-option.ts";
import { shown } from "../option-checks.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { defaultConcurrency, defaultRetries, type Pushed, type PushOptions } from "./ddfs-options.ts";
import { inParallel } from "./in-parallel.ts";
import { pushBlob } from "./push-blob.ts";
import { listSources, type PushSource } from "./push-source.ts";
import type { TagAddress } from "./tag-address.ts";

/** @throws DiscoError `tag-unauthorized`; as `listSources` and `pushBlob` */
export async function push(api: DdfsApi, tag: TagAddress, files: unknown, options: PushOptions): Promise<Pushed> {
  const sources = await listSources(files);
  await assertMayChange(api, tag);
  const sizes = sources.map(({ size }) => size);
  const bytesTotal = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  return await pushSources(api, tag, sources, options, { blobs: sources.length, bytes: bytesTotal });
}

/** Totals: `null` where they are not known. */
export interface Totals {
  readonly blobs: number | null;
  readonly bytes: number | null;
}

/** Stores all, then tags them in their order. */
export async function pushSources(
  api: DdfsApi,
  tag: TagAddress,
  sources: Iterable<PushSource> | AsyncIterable<PushSource>,
  options: PushOptions,
  totals: Totals,
): Promise<Pushed> {
  const { replicas, minReplicas, forceon = [], retries = defaultRetries, delayed, update } = options;
  if (replicas !== undefined && minReplicas !== undefined && minReplicas > replicas)
    throw badOption(`minReplicas: at most ${replicas} was expected, the number of replicas, not ${shown(minReplicas)}`);
  const told = new Told(options, totals);
  const concurrency = options.concurrency ?? defaultConcurrency;
  const blobs = await inParallel(sources, concurrency, options.signal, async (source, _i, signal) => {
    const progress = told.of(source);
    const urls = await pushBlob(api, source, {
      replicas,
      minReplicas,
      include: forceon,
      retries,
      signal,
      progress: progress.sent,
    });
    progress.stored();
    return urls;
  });
  const { name, token } = tag;
  return [await api.link(name, blobs, { token, delayed, update }), blobs];
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
