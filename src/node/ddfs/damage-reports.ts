/** Tells the master that leads of blobs that were found damaged, until it has heard of them. */
import { setTimeout as pause } from "node:timers/promises";
import { toJsonBytes } from "../../bus/json.ts";
import type { DamagedBlob } from "../../protocol/ddfs/messages.ts";
import type { MasterLink } from "../master-link.ts";
import type { OwnBlobs } from "./own-blobs.ts";

const patienceMs = 10_000;
const retryMs = 5_000;
/** A disk that is all damaged is told of in parts: listings say the rest. */
const waitingMax = 10_000;

export class DamageReports {
  readonly #master: MasterLink;
  readonly #waiting = new Map<string, DamagedBlob>();
  readonly #stop: () => void;
  readonly #closing = new AbortController();
  #sending = false;

  constructor(master: MasterLink, blobs: OwnBlobs) {
    this.#master = master;
    this.#stop = blobs.onDamage((blob) => this.#add(blob));
  }

  close(): void {
    this.#stop();
    this.#closing.abort();
  }

  #add(blob: DamagedBlob): void {
    if (this.#waiting.size >= waitingMax) return;
    this.#waiting.set(`${blob.volume}/${blob.object}`, blob);
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    const { signal } = this.#closing;
    for (let next = first(this.#waiting); next !== null && !signal.aborted; next = first(this.#waiting)) {
      const [key, blob] = next;
      try {
        await this.#master.ask("ddfs-damaged", toJsonBytes(blob), patienceMs);
        this.#waiting.delete(key);
      } catch {
        await pause(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    this.#sending = false;
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | null {
  for (const entry of map) return entry;
  return null;
}
