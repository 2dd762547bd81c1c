/**
 * One volume: a directory of blobs.
 *
 *   bytes ─▶ !partial-ID ─▶ synced, as is the sum ─▶ sum renamed ─▶ read-only ─▶ renamed to OBJECT ─▶ directory synced ─▶ it is there
 *
 * VO1. What has the name of a blob was synced before, and so was its sum.
 * VO2. What fails on the way is removed, whatever it was, and never tried again on the same file.
 * VO3. A directory that is not there was unmounted, or deleted: it is not made again while the volume is open.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { DiscoError } from "../../errors.ts";
import type { StoredBlob, Verdict } from "../../protocol/ddfs/messages.ts";
import type { Expected, Range } from "../blobs.ts";
import { checkedBody, damaged, unreadable } from "./checked-body.ts";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";
import { hashesOf, sweep } from "./sweep.ts";
import { upload } from "./upload.ts";

/** A place for a blob, on the disk already. */
export interface Place {
  fill(body: AsyncIterable<Uint8Array>, expected: Expected): Promise<StoredBlob>;
}

export class Volume {
  /** `vol0` … */
  readonly name: string;
  readonly directory: string;
  readonly #disk: Disk;
  /** Its files that are being written. */
  readonly #writing = new Set<string>();
  /** Directories that are on the disk. */
  readonly #made = new Map<string, Promise<void>>();

  constructor(name: string, directory: string, disk: Disk) {
    this.name = name;
    this.directory = directory;
    this.#disk = disk;
  }

  /** Its directory is there. */
  async begin(): Promise<void> {
    await this.#disk.mkdir(layout.blobDirectory(this.directory));
    await this.#disk.syncDirectory(this.directory);
  }

  /** Takes a place before a byte was read: where that fails, another volume can be asked. To be filled then. */
  async place(object: string): Promise<Place> {
    const disk = this.#disk;
    const hash = layout.hashOf(object);
    await this.#make(hash);
    const directory = layout.directoryOf(this.directory, hash);
    const partial = layout.partialFile(directory, randomUUID());
    const blob = layout.blobFile(this.directory, object);
    const sum = layout.sumFile(this.directory, object);
    const end = (): void => {
      this.#writing.delete(partial);
      this.#writing.delete(sum);
    };
    this.#writing.add(partial);
    this.#writing.add(sum);
    const file = await disk.create(partial).catch((error: unknown) => {
      end();
      // Somebody has deleted it: it is made again, if the volume is still there.
      this.#made.delete(hash);
      throw error;
    });
    const fill = async (body: AsyncIterable<Uint8Array>, expected: Expected): Promise<StoredBlob> => {
      try {
        let known: layout.Sum;
        try {
          known = await upload(object, file, body, expected);
        } finally {
          await file.close();
        }
        await this.#writeSum(directory, sum, known);
        await disk.protect(partial);
        const written = await disk.stat(partial);
        await disk.rename(partial, blob);
        await disk.syncDirectory(directory);
        return { object, volume: this.name, ...known, storedAt: Math.round(written?.modifiedAt ?? 0) };
      } catch (error) {
        // It may have its name, and not for good: found there by the next try, it would count as stored.
        for (const path of [partial, blob, sum]) await disk.remove(path).catch(() => undefined);
        throw error;
      } finally {
        end();
      }
    };
    return { fill };
  }

  /** `null`: not here. @throws DiscoError `blob-damaged` when its size is wrong, or its sum is lost: it is set aside */
  async stat(object: string): Promise<StoredBlob | null> {
    const file = layout.blobFile(this.directory, object);
    const found = await this.#disk.stat(file);
    if (found === null || !found.isFile) return null;
    const sum = await this.#sum(object);
    if (sum?.size !== found.size) {
      // It may have been deleted meanwhile.
      if ((await this.#disk.stat(file)) === null) return null;
      await this.setAside(object);
      throw damaged(object, this.name);
    }
    return { object, volume: this.name, size: sum.size, digest: sum.digest, storedAt: Math.round(found.modifiedAt) };
  }

  /** `null`: not here. @throws DiscoError `blob-damaged`; so does the body, at its end, unless it is a part */
  async open(object: string, range?: Range): Promise<(StoredBlob & { readonly body: Readable }) | null> {
    const stored = await this.stat(object);
    if (stored === null) return null;
    const { from = 0, to = null } = range ?? {};
    const end = Math.min(to ?? stored.size, stored.size);
    if (from >= end && stored.size > 0) return { ...stored, body: Readable.from([]) };
    const isWhole = from === 0 && end === stored.size;
    const bytes = from < end ? await this.#stream(object, from, end) : Readable.from([]);
    if (bytes === null) return null;
    const body = isWhole ? checkedBody(bytes, stored, () => this.setAside(object)) : bytes;
    return { ...stored, body };
  }

  /** Its directories, ascending. */
  hashes(): Promise<string[]> {
    return hashesOf(this.#disk, this.directory);
  }

  /** Names in one of its directories, ascending. */
  async objects(hash: string): Promise<string[]> {
    const names = await this.#disk.list(layout.directoryOf(this.directory, hash));
    return names.flatMap((name) => layout.objectNamed(name) ?? []).sort();
  }

  /** `false`: it is not older than that, and stays. */
  async delete(object: string, storedBefore: number): Promise<boolean> {
    const disk = this.#disk;
    const file = layout.blobFile(this.directory, object);
    const found = await disk.stat(file);
    if (found === null) {
      // Where the whole volume is gone, nobody knows.
      await disk.list(layout.blobDirectory(this.directory));
      return true;
    }
    if (found.modifiedAt >= storedBefore) return false;
    await disk.remove(file);
    await disk.remove(layout.sumFile(this.directory, object));
    await disk.syncDirectory(layout.directoryOf(this.directory, layout.hashOf(object)));
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
    await this.#disk.rename(file, layout.damagedFile(file, randomUUID().slice(0, 8))).catch(() => undefined);
    await this.#disk.remove(layout.sumFile(this.directory, object)).catch(() => undefined);
  }

  /** Removes what is nobody's any more. `now`: milliseconds since 1970. */
  sweep(now: number): Promise<number> {
    return sweep({ disk: this.#disk, volume: this.directory, isWritten: (file) => this.#writing.has(file), now });
  }

  async #make(hash: string): Promise<void> {
    let making = this.#made.get(hash);
    if (making === undefined) {
      making = (async () => {
        await this.#disk.mkdir(layout.directoryOf(this.directory, hash));
        await this.#disk.syncDirectory(layout.blobDirectory(this.directory));
      })();
      this.#made.set(hash, making);
      making.catch(() => this.#made.delete(hash));
    }
    await making;
  }

  /** `null`: it has just been deleted. */
  async #stream(object: string, from: number, to: number): Promise<Readable | null> {
    try {
      return await this.#disk.stream(layout.blobFile(this.directory, object), from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** `null`: it is not there, or says nothing. */
  async #sum(object: string): Promise<layout.Sum | null> {
    try {
      return layout.parseSum((await this.#disk.read(layout.sumFile(this.directory, object))).toString("latin1"));
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === unreadable) return null;
      throw error;
    }
  }

  async #writeSum(directory: string, to: string, sum: layout.Sum): Promise<void> {
    const disk = this.#disk;
    const partial = layout.partialFile(directory, randomUUID());
    this.#writing.add(partial);
    try {
      const file = await disk.create(partial);
      try {
        await file.write([Buffer.from(layout.formatSum(sum), "latin1")]);
        await file.sync();
      } finally {
        await file.close();
      }
      await disk.rename(partial, to);
    } catch (error) {
      await disk.remove(partial).catch(() => undefined);
      throw error;
    } finally {
      this.#writing.delete(partial);
    }
  }
}
