import { blobNameOf } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { StoredBlob } from "../../protocol/ddfs/messages.ts";
import type { DdfsApi } from "./ddfs-api.ts";
import { isBlob, type ReadBlobOptions, readReplicas, shuffled } from "./replica-reader.ts";

/** A blob of a tag. Nothing of it is fetched before it is read; each reading begins anew, with another replica perhaps. */
export class PulledBlob implements AsyncIterable<Uint8Array> {
  /** What it was called when it was pushed. */
  readonly name: string;
  /** Addresses of its replicas. */
  readonly urls: readonly string[];
  readonly #api: Pick<DdfsApi, "openBlob" | "statBlob">;
  readonly #options: ReadBlobOptions;

  /** @internal */
  constructor(api: Pick<DdfsApi, "openBlob" | "statBlob">, urls: readonly string[], options: ReadBlobOptions) {
    this.urls = urls;
    this.name = blobNameOf(urls[0] ?? "");
    this.#api = api;
    this.#options = options;
  }

  /** Its bytes, in pieces. @throws DataError `no-replica`, `blob-damaged` … while it is read, CommError */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return readReplicas(this.#api, shuffled(this.urls), this.#options) as AsyncGenerator<Uint8Array, undefined>;
  }

  /** All of its bytes, in memory. Throws as reading does. */
  async bytes(): Promise<Uint8Array> {
    return await this.#again(async () => Buffer.concat(await Array.fromAsync(this)));
  }

  /** All of it as text, UTF-8. Throws as reading does. */
  async text(): Promise<string> {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await this.bytes());
  }

  /**
   * Writes it to a file, which appears when all of it is there, and may be one that it replaces. Returns the number of bytes. Throws as
   * reading does, and what the disk throws.
   */
  async save(path: string): Promise<number> {
    const { saveChunks } = await import("./saved-file.ts");
    return await this.#again(() => saveChunks(path, this));
  }

  /** Size, digest and time of it, from the first replica that can be asked; `null`: none, or it does not lie in DDFS. */
  async stat(): Promise<StoredBlob | null> {
    for (const url of this.urls.filter(isBlob)) {
      const stored = await this.#api.statBlob(url).catch(() => null);
      if (stored !== null) return stored;
    }
    return null;
  }

  /** What was read of a damaged replica has gone nowhere yet: it is read once more, and the damaged one is left out by then. */
  async #again<T>(read: () => Promise<T>): Promise<T> {
    for (let left = this.urls.length; ; left--) {
      try {
        return await read();
      } catch (error) {
        if (left <= 1 || !(error instanceof DiscoError) || error.code !== "replica-differs") throw error;
      }
    }
  }
}
