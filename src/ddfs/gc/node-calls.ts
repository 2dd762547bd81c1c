/** What the master that leads asks of nodes about blobs, over the bus. Everything carries its epoch (N1). */
import type { Bus } from "../../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../../bus/json.ts";
import { part } from "../../bus/subjects.ts";
import type {
  AdoptFile,
  BlobPage,
  CopyBlob,
  DeleteBlobs,
  DeletedBlobs,
  ListBlobs,
  ScrubNode,
  ScrubStatus,
  StoredBlob,
} from "../../protocol/ddfs/messages.ts";

/** Without the epoch, which every message gets here. */
type Said<T> = Omit<T, "epoch">;

export interface NodeCallsParts {
  readonly bus: Bus;
  /** Of the master, when it speaks. */
  readonly epoch: () => number;
}

/** A page is read from a disk that may be busy. */
const pagePatienceMs = 60_000;
const deletePatienceMs = 60_000;
const scrubPatienceMs = 10_000;
/** A copy may take so long, and a second more for each of so many bytes. */
const copyPatienceMs = 60_000;
const slowBytesPerSecond = 1_000_000;

/** @throws CommError as `Bus.request`, with the node's own error as `remote-error` */
export class NodeCalls {
  readonly #parts: NodeCallsParts;

  constructor(parts: NodeCallsParts) {
    this.#parts = parts;
  }

  list(host: string, message: Said<ListBlobs>): Promise<BlobPage> {
    return this.#ask(host, "ddfs-list", message, pagePatienceMs);
  }

  delete(host: string, message: Said<DeleteBlobs>): Promise<DeletedBlobs> {
    return this.#ask(host, "ddfs-delete", message, deletePatienceMs);
  }

  copy(host: string, message: Said<CopyBlob>, bytes: number): Promise<StoredBlob> {
    const patienceMs = copyPatienceMs + (bytes / slowBytesPerSecond) * 1_000;
    return this.#ask(host, "ddfs-copy", message, patienceMs);
  }

  adopt(host: string, message: Said<AdoptFile>, bytes: number): Promise<StoredBlob> {
    const patienceMs = copyPatienceMs + (bytes / slowBytesPerSecond) * 1_000;
    return this.#ask(host, "ddfs-adopt", message, patienceMs);
  }

  scrub(host: string, message: Said<ScrubNode>): Promise<ScrubStatus> {
    return this.#ask(host, "ddfs-scrub", message, scrubPatienceMs);
  }

  async #ask<T>(host: string, what: string, message: object, patienceMs: number): Promise<T> {
    const { bus, epoch } = this.#parts;
    const bytes = toJsonBytes({ ...message, epoch: epoch() });
    return fromJsonBytes<T>(await bus.request(`node.${part(host)}.${what}`, bytes, patienceMs));
  }
}
