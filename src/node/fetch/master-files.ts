/**
 * Files that a node has from its master: job packs, manifests, lists of out-of-band values. On one machine packs are links to the
 * master's, and answers come as messages; between machines what is large comes over HTTP.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { fromJsonBytes, toJsonBytes } from "../../bus/json.ts";
import { CommError, DiscoError } from "../../errors.ts";
import { largeReplyPath, type PackPlaces } from "../../protocol/large-reply.ts";
import type { MasterLink } from "../master-link.ts";
import { placePack } from "../pack-file.ts";
import { download } from "./download.ts";
import type { Peers } from "./peers.ts";

const patienceMs = 60_000;

export interface MasterFilesParts {
  readonly master: MasterLink;
  /** Base URL of the master that leads. */
  readonly url: () => string | null;
  /** `null`: on one machine. */
  readonly peers: Peers | null;
}

export class MasterFiles {
  readonly #parts: MasterFilesParts;
  readonly #closing = new AbortController();
  readonly #packs = new Map<string, Promise<void>>();

  constructor(parts: MasterFilesParts) {
    this.#parts = parts;
  }

  /** Brings a job's pack to its place: it is there whole, or not at all. */
  async pack(job: string, to: string): Promise<void> {
    const reply = await this.#parts.master.ask("pack", toJsonBytes({ job }), patienceMs);
    await this.hold(fromJsonBytes<PackPlaces>(reply), to);
  }

  /** As `pack`, where the master has said where it is. One who asks meanwhile waits for the same. */
  async hold(places: PackPlaces, to: string): Promise<void> {
    const { peers } = this.#parts;
    if (peers === null) return placePack(places.file, to);
    let holding = this.#packs.get(to);
    if (holding === undefined) {
      if (existsSync(to)) return;
      const { urls, sha256 } = places;
      const { signal } = this.#closing;
      holding = download(to, { peers, urls, sha256, signal }).finally(() => this.#packs.delete(to));
      this.#packs.set(to, holding);
    }
    await holding;
  }

  /** The master's answer, wherever its bytes are. `scratch`: absolute path of a file that may be made and is gone then. */
  async answer(what: "manifest" | "oob", question: object, scratch: string): Promise<Uint8Array> {
    const { master, url, peers } = this.#parts;
    const reply = await master.ask(what, toJsonBytes(question), patienceMs);
    const path = largeReplyPath(reply);
    if (path === null) return reply;
    const base = url();
    if (peers === null || base === null) {
      throw new CommError("the master's address is not known", { code: "no-leader", retry: "here" });
    }
    try {
      await download(scratch, { peers, urls: [base.replace(/\/+$/, "") + path], signal: this.#closing.signal });
      return await readFile(scratch);
    } finally {
      await rm(scratch, { force: true });
    }
  }

  close(): void {
    this.#closing.abort(new DiscoError("the node is being closed", { code: "closed" }));
  }
}
