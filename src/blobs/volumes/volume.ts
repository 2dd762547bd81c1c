/**
 * One volume: a directory of blobs.
 *
 *   bytes ─▶ !partial-ID ─▶ sync ─▶ sum, synced ─▶ read-only ─▶ renamed to OBJECT ─▶ directory synced ─▶ it is there
 *
 * What fails on the way is removed, and a failed sync is believed: the page cache may have dropped what it could not write, so the
 * whole upload fails, and is never tried again on the same file.
 */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { DiscoError } from "../../errors.ts";
import type { StoredBlob, Verdict } from "../../protocol/ddfs/messages.ts";
import type { Expected, Range } from "../blobs.ts";
import { checkedBody, damaged } from "./checked-body.ts";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";

/** An upload that has not ended after so long has been forgotten: its file is swept. */
const partialAgeMs = 24 * 60 * 60 * 1000;
const hashChunkBytes = 1024 * 1024;

export class Volume {
  /** `vol0` … */
  readonly name: string;
  readonly directory: string;
  readonly #disk: Disk;
  /** Its files that this process writes. */
  readonly #writing = new Set<string>();

  constructor(name: string, directory: string, disk: Disk) {
    this.name = name;
    this.directory = directory;
    this.#disk = disk;
  }

  /** @throws DiscoError `cut-off`, `digest-mismatch`; what the disk throws. Nothing stays then. */
  async put(object: string, body: AsyncIterable<Uint8Array>, expected: Expected): Promise<StoredBlob> {
    const disk = this.#disk;
    const directory = layout.directoryOf(this.directory, layout.hashOf(object));
    await disk.mkdir(directory);
    const partial = layout.partialFile(directory, randomUUID());
    this.#writing.add(partial);
    try {
      const hash = createHash("sha256");
      let size = 0;
      const file = await disk.create(partial);
      try {
        for await (const chunk of body) {
          size += chunk.byteLength;
          if (expected.size !== undefined && size > expected.size) throw cutOff(object, size, expected.size);
          hash.update(chunk);
          await file.write(chunk);
        }
        if (expected.size !== undefined && size !== expected.size) throw cutOff(object, size, expected.size);
        await file.sync();
      } finally {
        await file.close();
      }
      const digest = hash.digest("hex");
      if (expected.digest !== undefined && expected.digest !== digest) {
        throw new DiscoError(`the bytes of ${object} that arrived have another digest than those that were sent`, {
          code: "digest-mismatch",
          retry: "here",
        });
      }
      await this.#writeSum(object, { digest, size });
      await disk.protect(partial);
      await disk.rename(partial, layout.blobFile(this.directory, object));
      await disk.syncDirectory(directory);
      const stored = await disk.stat(layout.blobFile(this.directory, object));
      return { object, volume: this.name, size, digest, storedAt: Math.round(stored?.modifiedAt ?? Date.now()) };
    } catch (error) {
      await disk.remove(partial).catch(() => undefined);
      throw error;
    } finally {
      this.#writing.delete(partial);
    }
  }

  /** `null`: not here. @throws DiscoError `blob-damaged` when its size is wrong: it is set aside */
  async stat(object: string): Promise<StoredBlob | null> {
    const found = await this.#disk.stat(layout.blobFile(this.directory, object));
    if (found === null || !found.isFile) return null;
    const sum = (await this.#sum(object)) ?? (await this.#sumUp(object));
    if (sum === null) return null;
    if (sum.size !== found.size) {
      await this.setAside(object);
      throw damaged(object, this.name);
    }
    return { object, volume: this.name, size: sum.size, digest: sum.digest, storedAt: Math.round(found.modifiedAt) };
  }

  /** `null`: not here. @throws DiscoError `blob-damaged`; so does the body, at its end, unless it is a part */
  async open(object: string, range?: Range): Promise<(StoredBlob & { readonly body: Readable }) | null> {
    const stored = await this.stat(object);
    if (stored === null) return null;
    const handle = await this.#disk.open(layout.blobFile(this.directory, object));
    const { from = 0, to = null } = range ?? {};
    const end = to ?? stored.size;
    if (from >= end) {
      await handle.close();
      return { ...stored, body: Readable.from([]) };
    }
    const bytes = handle.createReadStream({ start: from, end: end - 1, highWaterMark: hashChunkBytes });
    const whole = from === 0 && end === stored.size;
    const body = whole ? checkedBody(bytes, stored, () => this.setAside(object)) : bytes;
    return { ...stored, body };
  }

  /** Names in one of its directories, ascending. */
  async objects(hash: string): Promise<string[]> {
    let names: string[];
    try {
      names = await this.#disk.list(layout.directoryOf(this.directory, hash));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    return names.flatMap((name) => layout.objectNamed(name) ?? []).sort();
  }

  /** `false`: it is not older than that, and stays. */
  async delete(object: string, storedBefore: number): Promise<boolean> {
    const disk = this.#disk;
    const file = layout.blobFile(this.directory, object);
    const found = await disk.stat(file);
    if (found !== null && found.modifiedAt >= storedBefore) return false;
    await disk.remove(file);
    await disk.remove(layout.sumFile(this.directory, object));
    if (found !== null) await disk.syncDirectory(layout.directoryOf(this.directory, layout.hashOf(object)));
    return true;
  }

  async verify(object: string): Promise<Verdict> {
    try {
      const opened = await this.open(object);
      if (opened === null) return "missing";
      for await (const _chunk of opened.body);
      return "sound";
    } catch (error) {
      if (error instanceof DiscoError && error.code === "blob-damaged") return "damaged";
      throw error;
    }
  }

  /** What is served no more, but kept for whoever wants to know what happened. */
  async setAside(object: string): Promise<void> {
    const file = layout.blobFile(this.directory, object);
    await this.#disk.rename(file, `${file}.damaged-${randomUUID().slice(0, 8)}`).catch(() => undefined);
    await this.#disk.remove(layout.sumFile(this.directory, object)).catch(() => undefined);
  }

  /** Removes what uploads left that will never end; `everything`: all that this process does not write. */
  async sweep(everything: boolean, now: number): Promise<number> {
    let swept = 0;
    for (const hash of layout.hashes) {
      const directory = layout.directoryOf(this.directory, hash);
      const names = await this.#disk.list(directory).catch(() => []);
      for (const name of names.filter(layout.isPartial)) {
        const file = join(directory, name);
        if (this.#writing.has(file)) continue;
        const found = await this.#disk.stat(file).catch(() => null);
        if (found === null || (!everything && now - found.modifiedAt < partialAgeMs)) continue;
        await this.#disk.remove(file);
        swept++;
      }
    }
    return swept;
  }

  async #sum(object: string): Promise<layout.Sum | null> {
    try {
      return layout.parseSum((await this.#disk.read(layout.sumFile(this.directory, object))).toString("latin1"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  async #sumUp(object: string): Promise<layout.Sum | null> {
    const handle = await this.#disk.open(layout.blobFile(this.directory, object)).catch(() => null);
    if (handle === null) return null;
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of handle.createReadStream({ highWaterMark: hashChunkBytes }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    const sum = { digest: hash.digest("hex"), size };
    await this.#writeSum(object, sum);
    return sum;
  }

  async #writeSum(object: string, sum: layout.Sum): Promise<void> {
    const disk = this.#disk;
    const directory = layout.directoryOf(this.directory, layout.hashOf(object));
    const partial = layout.partialFile(directory, randomUUID());
    this.#writing.add(partial);
    try {
      const file = await disk.create(partial);
      try {
        await file.write(Buffer.from(layout.formatSum(sum), "latin1"));
        await file.sync();
      } finally {
        await file.close();
      }
      await disk.rename(partial, layout.sumFile(this.directory, object));
    } catch (error) {
      await disk.remove(partial).catch(() => undefined);
      throw error;
    } finally {
      this.#writing.delete(partial);
    }
  }
}

function cutOff(object: string, size: number, announced: number): DiscoError {
  return new DiscoError(`${size} bytes of ${object} arrived, ${announced} were announced`, {
    code: "cut-off",
    retry: "here",
  });
}
