/**
 * The blobs of a node: one or more volumes. A new blob goes to the volume with most room that takes any; one that turns read-only,
 * vanishes, is full or fails is left out and looked at again later (`volume-state.ts`). The node stays.
 */
import { createHash } from "node:crypto";
import { blobNameLengthMax, isObject } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import type { DamagedBlob, StoredBlob, Verdict, VolumeInfo } from "../../protocol/ddfs/messages.ts";
import type { Blobs, Expected, OpenedBlob, Range } from "../blobs.ts";
import { unreadable } from "./checked-body.ts";
import type { Disk } from "./disk.ts";
import * as layout from "./layout.ts";
import { type Place, Volume } from "./volume.ts";
import { isFull, VolumeState } from "./volume-state.ts";

export interface VolumePlace {
  /** `vol0` … */
  readonly name: string;
  /** Absolute path. It is there. */
  readonly directory: string;
  /** What the file `volume` in it says; `null`: it need not be there. Default: `null`. */
  readonly marker?: string | null;
}

export interface VolumesParts {
  readonly places: readonly VolumePlace[];
  readonly disk: Disk;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Bytes of each volume that are to stay free. Default: 0. */
  readonly reserveBytes?: number;
  /** A blob was found damaged. It is set aside. */
  readonly found?: (blob: DamagedBlob) => void;
}

/** An object's name is that of a file, and of its sum. */
const objectLengthMax = blobNameLengthMax + 24;
const sweepEveryMs = 60 * 60_000;
/** Blobs of a page whose sums are read at once. */
const statsAtOnce = 16;

type Found = DamagedBlob["found"];

interface Promised {
  readonly state: VolumeState;
  /** So many bytes of the room are used, the rest is not needed. */
  readonly takeBack: (usedBytes: number) => void;
}

export class Volumes implements Blobs {
  readonly kind = "volumes";
  readonly #parts: VolumesParts;
  readonly #states: readonly VolumeState[];
  readonly #puts = new Map<string, Promise<unknown>>();
  #sweeping: Promise<void> = Promise.resolve();
  #sweptAt: number;

  constructor(parts: VolumesParts) {
    const { places, disk, now, reserveBytes = 0 } = parts;
    this.#parts = parts;
    this.#sweptAt = now();
    this.#states = places.map(({ name, directory, marker = null }) => {
      return new VolumeState({ volume: new Volume(name, directory, disk), disk, now, reserveBytes, marker });
    });
  }

  /** Looks at the volumes; those that cannot be used are in trouble, no more. What uploads of before have left is swept meanwhile. */
  async begin(): Promise<void> {
    for (const state of this.#states) {
      await state.volume.begin().catch((error: unknown) => state.blame(error));
      await state.look();
    }
    this.#sweep();
  }

  /** Resolves when nothing is being swept. */
  swept(): Promise<void> {
    return this.#sweeping;
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

  async open(object: string, range?: Range): Promise<OpenedBlob | null> {
    if (!isObject(object)) return null;
    for (const state of this.#states) {
      const { volume } = state;
      const opened = await this.#asked(state, object, () => volume.open(object, range));
      if (opened === null) continue;
      opened.body.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === unreadable) void volume.setAside(object);
        if (error.code === unreadable || error.code === "blob-damaged") this.#found(object, volume.name, "read");
      });
      return opened;
    }
    return null;
  }

  async stat(object: string): Promise<StoredBlob | null> {
    if (!isObject(object)) return null;
    for (const state of this.#states) {
      const stored = await this.#asked(state, object, () => state.volume.stat(object));
      if (stored !== null) return stored;
    }
    return null;
  }

  async list(
    after: { readonly volume: string; readonly object: string } | undefined,
    limit: number,
    { from, to } = { from: 0, to: 255 },
  ): Promise<{ blobs: StoredBlob[]; isLast: boolean; incomplete: boolean }> {
    const blobs: StoredBlob[] = [];
    let incomplete = false;
    const last = after === undefined ? null : { ...after, hash: layout.hashOf(after.object) };
    const first = last === null ? 0 : this.#states.findIndex(({ volume }) => volume.name === last.volume);
    for (const state of this.#states.slice(Math.max(first, 0))) {
      const { volume } = state;
      await state.look();
      const begun = last !== null && volume.name === last.volume ? last : null;
      try {
        for (const hash of await volume.hashes()) {
          if (hash < hashText(from) || hash > hashText(to) || (begun !== null && hash < begun.hash)) continue;
          const objects = (await volume.objects(hash)).filter((one) => hash !== begun?.hash || one > begun.object);
          // Damaged ones are left out: a page has as many as it may, unless there are no more.
          for (let i = 0; i < objects.length; ) {
            const room = limit - blobs.length;
            if (room === 0) return { blobs, isLast: false, incomplete: incomplete || !state.isThere };
            blobs.push(...(await this.#stats(state, objects.slice(i, i + room))));
            i += room;
          }
        }
      } catch (error) {
        state.blame(error);
        incomplete = true;
      }
      if (!state.isThere) incomplete = true;
    }
    return { blobs, isLast: true, incomplete };
  }

  async delete(object: string, volume: string, storedBefore: number): Promise<boolean> {
    const state = this.#states.find((one) => one.volume.name === volume);
    if (state === undefined || !isObject(object)) return true;
    try {
      return await state.volume.delete(object, storedBefore);
    } catch (error) {
      state.blame(error);
      throw error;
    }
  }

  async verify(object: string, volume: string): Promise<Verdict> {
    const state = this.#states.find((one) => one.volume.name === volume);
    if (state === undefined || !isObject(object)) return "missing";
    const verdict = await state.volume.verify(object);
    if (verdict === "damaged") this.#found(object, volume, "scrub");
    return verdict;
  }

  async volumes(): Promise<VolumeInfo[]> {
    await Promise.all(this.#states.map((state) => state.look()));
    if (this.#parts.now() - this.#sweptAt >= sweepEveryMs) this.#sweep();
    return this.#states.map(({ info }) => info);
  }

  async close(): Promise<void> {
    // Uploads that are under way end by themselves, with their connections.
    await this.#sweeping;
  }

  async #put(object: string, body: AsyncIterable<Uint8Array>, expected: Expected): Promise<StoredBlob> {
    const there = await this.stat(object);
    if (there !== null) return await sameOrRefused(there, body);
    const { size = 0 } = expected;
    const { state, takeBack, place } = await this.#place(object, size);
    let used = 0;
    try {
      const stored = await place.fill(body, expected);
      used = stored.size;
      return stored;
    } catch (error) {
      state.blame(error);
      if (!isFull(error)) throw error;
      throw diskFull(`${object} could not be stored: the volume ${state.volume.name} is full`, error);
    } finally {
      takeBack(used);
    }
  }

  /** On the volume with most room that takes it: those that do not are in trouble from then on. */
  async #place(object: string, bytes: number): Promise<Promised & { readonly place: Place }> {
    for (let left = this.#states.length; left > 0; left--) {
      const { state, takeBack } = await this.#roomiest(bytes);
      try {
        return { state, takeBack, place: await state.volume.place(object) };
      } catch (error) {
        takeBack(0);
        if (!state.blame(error)) throw error;
      }
    }
    throw this.#noVolume();
  }

  /** Has promised the room already: between looking and taking nobody else may look. */
  async #roomiest(bytes: number): Promise<Promised> {
    await Promise.all(this.#states.map((state) => state.look()));
    const open = this.#states.filter(({ info }) => info.trouble === null);
    const best = [...open].sort((a, b) => b.roomBytes - a.roomBytes)[0];
    if (best === undefined) throw this.#noVolume();
    if (best.roomBytes < bytes) throw diskFull(`no volume has room for ${bytes} bytes`);
    return { state: best, takeBack: best.promise(bytes) };
  }

  #noVolume(): DiscoError {
    const infos = this.#states.map(({ info }) => info);
    const why = infos.map(({ volume, trouble }) => `${volume} is ${trouble ?? "in trouble"}`).join(", ");
    if (infos.every(({ trouble }) => trouble === "full")) return diskFull(`no volume has room: ${why}`);
    return new DiscoError(`no volume takes blobs: ${why}`, {
      code: "no-volume",
      retry: "elsewhere",
      hint: "Mount the volume again, or make it writable: it is looked at again after a while.",
    });
  }

  /** What is in a page; blobs that turn out damaged are left out, and told. */
  async #stats({ volume }: VolumeState, objects: readonly string[]): Promise<StoredBlob[]> {
    const stored: StoredBlob[] = [];
    for (let from = 0; from < objects.length; from += statsAtOnce) {
      const some = objects.slice(from, from + statsAtOnce);
      const found = await Promise.all(
        some.map((object) => this.#unlessDamaged(object, volume.name, "list", () => volume.stat(object))),
      );
      stored.push(...found.filter((one) => one !== null));
    }
    return stored;
  }

  /** A volume that fails is in trouble; what is asked of it may be on another. */
  async #asked<T>(state: VolumeState, object: string, ask: () => Promise<T | null>): Promise<T | null> {
    try {
      return await this.#unlessDamaged(object, state.volume.name, "read", ask);
    } catch (error) {
      if (this.#states.length > 1 && state.blame(error)) return null;
      throw error;
    }
  }

  async #unlessDamaged<T>(object: string, volume: string, by: Found, ask: () => Promise<T | null>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "blob-damaged") throw error;
      this.#found(object, volume, by);
      return null;
    }
  }

  #found(object: string, volume: string, found: Found): void {
    this.#parts.found?.({ object, volume, found });
  }

  #sweep(): void {
    const now = this.#parts.now();
    this.#sweptAt = now;
    this.#sweeping = (async () => {
      for (const { volume } of this.#states) await volume.sweep(now).catch(() => 0);
    })();
  }
}

/** HH of a number from 0 to 255. */
function hashText(n: number): string {
  return n.toString(16).padStart(2, "0");
}

async function sameOrRefused(there: StoredBlob, body: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  if (hash.digest("hex") === there.digest) return there;
  throw new DiscoError(`${there.object} is stored already, with other bytes`, {
    code: "blob-exists",
    hint: "Ask for a new blob: an object never changes.",
  });
}

function diskFull(message: string, cause?: unknown): DiscoError {
  return new DiscoError(message, {
    code: "disk-full",
    retry: "elsewhere",
    hint: "Delete tags that are not needed any more and collect garbage, free some space, or add nodes or volumes.",
    cause,
  });
}

function assertObject(object: string): void {
  if (isObject(object) && object.length <= objectLengthMax) return;
  throw new DiscoError(`${JSON.stringify(object.slice(0, 300))} is not the name of a blob that a master gave`, {
    code: "bad-name",
  });
}
