/**
 * Writes all tags to nodes every so often, as blobs: should the journal go with the machines that kept it, `disco rebuild` makes a new
 * one of the newest. The tag `disco:tags` names the two newest, so that they are replicated, read by the scrubber and counted like all
 * else; older ones are garbage.
 */
import { setTimeout as after } from "node:timers/promises";
import type { DdfsApi } from "../../client/ddfs/ddfs-api.ts";
import { snapshotName } from "../../core/ddfs/names.ts";
import type { Decider } from "../decider.ts";
import type { TagService } from "../tag-service.ts";
import { tagBytes } from "./tag-lines.ts";

export interface TagSnapshotsParts {
  readonly decider: Decider;
  readonly ddfs: Pick<DdfsApi, "newBlob" | "putBlob" | "space">;
  readonly tags: Pick<TagService, "put">;
  /** Nodes that each snapshot is kept on, or as many as there are. */
  readonly replicas: number;
  /** At most so often, while tags change. Milliseconds. Default: 10 minutes. */
  readonly everyMs?: number;
  readonly now: () => number;
  readonly failed?: (error: unknown) => void;
}

const defaultEveryMs = 10 * 60_000;
/** A snapshot of so many bytes is written no more often than `everyMs`; larger ones less often: garbage is to stay below a gigabyte. */
const bytesOfPeriod = 2 ** 20;
const closePatienceMs = 5_000;
const looksOfPeriod = 10;
const keptSnapshots = 2;

export class TagSnapshots {
  readonly #parts: TagSnapshotsParts;
  readonly #timer: NodeJS.Timeout;
  /** Version of the tags that was written last; `null`: none by this master. */
  #written: number | null = null;
  #nextAt: number;
  #writing: Promise<void> | null = null;

  constructor(parts: TagSnapshotsParts) {
    const { everyMs = defaultEveryMs, now } = parts;
    this.#parts = parts;
    // Nodes join first.
    this.#nextAt = now() + everyMs / looksOfPeriod;
    this.#timer = setInterval(() => {
      if (now() >= this.#nextAt) void this.write().catch((error: unknown) => parts.failed?.(error));
    }, everyMs / looksOfPeriod);
    this.#timer.unref();
  }

  /** Writes one, unless nothing has changed since the last. @throws what keeps it from being written anywhere */
  write(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  /** Writes what has changed. The master still leads. Nodes that do not take it are not waited for. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const written = this.write().catch((error: unknown) => this.#parts.failed?.(error));
    await Promise.race([written, after(closePatienceMs, undefined, { ref: false })]);
  }

  get #isNew(): boolean {
    const { tags } = this.#parts.decider.machine;
    if (this.#written !== null) return tags.version !== this.#written;
    const before = tags.tag(snapshotName)?.modifiedAt ?? Number.NEGATIVE_INFINITY;
    for (const { modifiedAt } of tags.all()) if (modifiedAt > before) return true;
    return false;
  }

  async #write(): Promise<void> {
    const { decider, ddfs, replicas, now, everyMs = defaultEveryMs } = this.#parts;
    if (!this.#isNew) return;
    this.#nextAt = now() + everyMs;
    await decider.assured();
    const { tags } = decider.machine;
    const [saved, version, at] = [tags.save(), tags.version, now()];
    const takers = (await ddfs.space()).filter(
      ({ connected, leaving, volumes }) => connected && !leaving && volumes.some(({ trouble }) => trouble === null),
    );
    const targets = await ddfs.newBlob(snapshotName, { replicas: Math.max(1, Math.min(replicas, takers.length)) });
    const stored = await Promise.allSettled(targets.map((target) => ddfs.putBlob(target, tagBytes(saved, at))));
    const urls = stored.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const [first] = urls;
    if (first === undefined) throw stored.find((one) => one.status === "rejected")?.reason;
    this.#nextAt = now() + everyMs * Math.max(1, first.size / bytesOfPeriod);
    const before = [...(tags.tag(snapshotName)?.urls.sets() ?? [])].slice(0, keptSnapshots - 1);
    const isSame = decider.machine.tags === tags && tags.version === version;
    await this.#parts.tags.put(snapshotName, [urls.map(({ url }) => url), ...before], { master: true });
    // Nothing but this has changed: else there is something to write again.
    if (isSame && tags.version === version + 1) this.#written = tags.version;
  }
}
