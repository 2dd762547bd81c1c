/**
 * The blobs of a node: one or more volumes. A new blob goes to the volume with most room that takes any; one that turns read-only,
 * vanishes or fails is left out and looked at again later. The node stays.
 */
import { setTimeout as after } from "node:timers/promises";
import { blobNameLengthMax, isObject } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { StoredBlob, Verdict, VolumeInfo } from "../../protocol/ddfs/messages.ts";
import type { Blobs, Expected, OpenedBlob, Range } from "../blobs.ts";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";
import { Volume } from "./volume.ts";

export interface VolumesParts {
  /** `vol0` … and their directories: absolute paths. */
  readonly directories: ReadonlyMap<string, string>;
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** No other process writes to them: what uploads have left is nobody's. Default: yes. */
  readonly isAlone?: boolean;
  /** A volume with less room takes nothing. Bytes. */
  readonly reserveBytes?: number;
  /** A blob was found damaged. */
  readonly found?: (object: string, volume: string) => void;
}

/** An object's name is that of a file, and of its sum. */
const objectLengthMax = blobNameLengthMax + 24;
const roomAgeMs = 2_000;
/** Failures of the volume itself, not of what is done with it. */
const troubles: Readonly<Record<string, string>> = {
  EROFS: "read-only",
  EACCES: "read-only",
  EPERM: "read-only",
  ENOENT: "gone",
  ENOTDIR: "gone",
  ENODEV: "gone",
  EIO: "failing",
};
const fullCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

interface State {
  readonly volume: Volume;
  info: VolumeInfo;
  lookedAt: number;
}

export class Volumes implements Blobs {
  readonly kind = "volumes";
  readonly #parts: VolumesParts;
  readonly #states: State[];
  readonly #puts = new Map<string, Promise<unknown>>();

  constructor(parts: VolumesParts) {
    this.#parts = parts;
    this.#states = [...parts.directories].map(([name, directory]) => ({
      volume: new Volume(name, directory, parts.disk),
      info: { volume: name, freeBytes: 0, usedBytes: 0, trouble: null },
      lookedAt: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Makes the directories, and sweeps what uploads of before have left. Volumes that cannot be used are in trouble, no more. */
  async begin(): Promise<void> {
    const { disk, now, isAlone = true } = this.#parts;
    for (const state of this.#states) {
      try {
        await disk.mkdir(state.volume.directory);
        await state.volume.sweep(isAlone, now());
      } catch (error) {
        this.#blame(state, error);
      }
    }
  }

  async put(object: string, body: AsyncIterable<Uint8Array>, expected: Expected = {}): Promise<StoredBlob> {
    assertObject(object);
    // One at a time of each object: the second finds the first.
    for (let before = this.#puts.get(object); before !== undefined; before = this.#puts.get(object))
      await before.catch(() => undefined);
    const putting = this.#put(object, body, expected);
    this.#puts.set(object, putting);
    try {
      return await putting;
    } finally {
      this.#puts.delete(object);
    }
  }

  async #put(object: string, body: AsyncIterable<Uint8Array>, expected: Expected): Promise<StoredBlob> {
    const there = await this.stat(object);
    if (there !== null) return await sameOrRefused(there, body);
    const state = await this.#roomiest(expected.size ?? 0);
    try {
      return await state.volume.put(object, body, expected);
    } catch (error) {
      this.#blame(state, error);
      if (!isFull(error)) throw error;
      throw new DiscoError(`${object} could not be stored: the volume ${state.volume.name} is full`, {
        code: "disk-full",
        retry: "elsewhere",
        cause: error,
      });
    }
  }

  async open(object: string, range?: Range): Promise<OpenedBlob | null> {
    for (const { volume } of this.#states) {
      const opened = await this.#told(object, volume, () => volume.open(object, range));
      if (opened === null) continue;
      opened.body.once("error", (error: Error) => {
        if (error instanceof DiscoError && error.code === "blob-damaged") this.#parts.found?.(object, volume.name);
      });
      return opened;
    }
    return null;
  }

  async stat(object: string): Promise<StoredBlob | null> {
    for (const { volume } of this.#states) {
      const stored = await this.#told(object, volume, () => volume.stat(object));
      if (stored !== null) return stored;
    }
    return null;
  }

  async list(
    after: { readonly volume: string; readonly object: string } | undefined,
    limit: number,
  ): Promise<{ blobs: StoredBlob[]; isLast: boolean; incomplete: boolean }> {
    const blobs: StoredBlob[] = [];
    let incomplete = false;
    const from = after === undefined ? null : { ...after, hash: layout.hashOf(after.object) };
    const first = from === null ? 0 : this.#states.findIndex(({ volume }) => volume.name === from.volume);
    for (const { volume } of this.#states.slice(Math.max(first, 0))) {
      const begun = from !== null && volume.name === from.volume ? from : null;
      try {
        for (const hash of layout.hashes) {
          if (begun !== null && hash < begun.hash) continue;
          for (const object of await volume.objects(hash)) {
            if (begun !== null && hash === begun.hash && object <= begun.object) continue;
            if (blobs.length >= limit) return { blobs, isLast: false, incomplete };
            const stored = await this.#told(object, volume, () => volume.stat(object)).catch(() => null);
            if (stored !== null) blobs.push(stored);
          }
        }
      } catch {
        incomplete = true;
      }
    }
    const troubled = (await this.volumes()).some(({ trouble }) => trouble === "gone" || trouble === "failing");
    return { blobs, isLast: true, incomplete: incomplete || troubled };
  }

  async delete(object: string, volume: string, storedBefore: number): Promise<boolean> {
    const state = this.#states.find((one) => one.volume.name === volume);
    return state === undefined ? true : await state.volume.delete(object, storedBefore);
  }

  async verify(object: string, volume: string): Promise<Verdict> {
    const state = this.#states.find((one) => one.volume.name === volume);
    if (state === undefined) return "missing";
    const verdict = await state.volume.verify(object);
    if (verdict === "damaged") this.#parts.found?.(object, volume);
    return verdict;
  }

  async volumes(): Promise<VolumeInfo[]> {
    for (const state of this.#states) await this.#look(state);
    return this.#states.map(({ info }) => info);
  }

  /** Sweeps uploads that were forgotten. */
  async sweep(): Promise<void> {
    for (const { volume } of this.#states) await volume.sweep(false, this.#parts.now()).catch(() => 0);
  }

  async close(): Promise<void> {
    // Uploads that are under way end by themselves, with their connections.
    await Promise.race([Promise.allSettled(this.#puts.values()), after(0)]);
  }

  async #told<T>(object: string, volume: Volume, ask: () => Promise<T | null>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "blob-damaged") throw error;
      this.#parts.found?.(object, volume.name);
      return null;
    }
  }

  async #roomiest(bytes: number): Promise<State> {
    const { reserveBytes = 0 } = this.#parts;
    for (const state of this.#states) await this.#look(state);
    const open = this.#states.filter(({ info }) => info.trouble === null);
    const best = open.sort((a, b) => b.info.freeBytes - a.info.freeBytes)[0];
    if (best === undefined) {
      const why = this.#states.map(({ info }) => `${info.volume} is ${info.trouble}`).join(", ");
      throw new DiscoError(`no volume takes blobs: ${why}`, { code: "no-volume", retry: "elsewhere" });
    }
    if (best.info.freeBytes - bytes < reserveBytes) {
      throw new DiscoError(`no volume has room for ${bytes} bytes`, { code: "disk-full", retry: "elsewhere" });
    }
    return best;
  }

  async #look(state: State): Promise<void> {
    const { disk, now } = this.#parts;
    if (now() - state.lookedAt < roomAgeMs) return;
    state.lookedAt = now();
    const { name: volume, directory } = state.volume;
    try {
      const room = await disk.room(directory);
      await disk.assertWritable(directory);
      state.info = { volume, ...room, trouble: null };
    } catch (error) {
      this.#blame(state, error);
    }
  }

  #blame(state: State, error: unknown): void {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (isFull(error)) state.info = { ...state.info, freeBytes: 0 };
    const trouble = troubles[code];
    if (trouble !== undefined) state.info = { ...state.info, trouble };
  }
}

async function sameOrRefused(there: StoredBlob, body: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  if (hash.digest("hex") === there.digest) return there;
  throw new DiscoError(`${there.object} is stored already, with other bytes`, {
    code: "blob-exists",
    hint: "Ask for a new blob: an object never changes.",
  });
}

function isFull(error: unknown): boolean {
  return fullCodes.has((error as NodeJS.ErrnoException).code ?? "");
}

function assertObject(object: string): void {
  if (isObject(object) && object.length <= objectLengthMax) return;
  throw new DiscoError(`${JSON.stringify(object.slice(0, 300))} is not the name of a blob that a master gave`, {
    code: "bad-name",
  });
}
