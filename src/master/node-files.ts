/**
 * What a master gives nodes of other machines that is too large for messages: job packs, and lists of many outputs. Nodes fetch them
 * from the master's server as files of the pseudo node `_master`.
 *
 * A pack outlives the master that took it: before a job is accepted two nodes hold it as well (`holdPack`), and a master that
 * takes over tells nodes to fetch it there (and sees to it that it stays so: `pack-keeper.ts`). Whoever fetches it compares it with
 * what the journal says of it.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Bus } from "../bus/bus.ts";
import { toJsonBytes } from "../bus/json.ts";
import { part } from "../bus/subjects.ts";
import { jobDirectory, masterHost } from "../node/job-directory.ts";
import { writeWhole } from "../node/job-home.ts";
import { privateFileMode } from "../node/private-modes.ts";
import { largeReply, type PackPlaces, replyBytesMax } from "../protocol/large-reply.ts";
import type { HeldPack } from "./held-pack.ts";
import type { JobFiles } from "./job-files.ts";

/** Nodes that hold a pack besides the master, where there are as many. */
export const packHoldersMax = 2;
const holdPatienceMs = 30_000;
/** Of packs whose digest is remembered. */
const digestsMax = 1_000;

export interface NodeFilesParts {
  readonly bus: Bus;
  readonly files: JobFiles;
  /** Base URL of this master's server, as other machines reach it. */
  readonly url: () => string;
  readonly epoch: () => number;
  /** Base URLs of the nodes' data servers, by name. */
  readonly dataServers: () => Readonly<Record<string, string>>;
  /** Nodes that held the job's pack when it was accepted. */
  readonly holders: (job: string) => readonly string[];
  /** SHA-256 of the job's pack, hex, as the journal has it; `null`: it does not, or not yet. */
  readonly sha256: (job: string) => string | null;
}

export class NodeFiles {
  readonly #parts: NodeFilesParts;
  readonly #digests = new Map<string, Promise<string>>();

  constructor(parts: NodeFilesParts) {
    this.#parts = parts;
  }

  /** Where nodes get a job's pack. */
  async pack(job: string): Promise<PackPlaces> {
    const { files, url, dataServers, holders } = this.#parts;
    const file = files.packFile(job);
    const servers = dataServers();
    const held = holders(job).flatMap((host) => {
      const base = servers[host];
      return base === undefined ? [] : [fileUrl(base, host, job, "jobfile")];
    });
    const known = this.#parts.sha256(job);
    if (!existsSync(file)) return { file, ...(known === null ? {} : { sha256: known }), urls: held };
    const sha256 = known ?? (await this.#digest(job, file));
    return { file, sha256, urls: [fileUrl(url(), masterHost, job, "jobfile"), ...held] };
  }

  /** The answer itself where it is small; else it lies beside the pack under that name, until the next one of the name or the job's end. */
  async reply(job: string, name: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.byteLength <= replyBytesMax) return bytes;
    await writeWhole(join(dirname(this.#parts.files.packFile(job)), name), bytes, privateFileMode);
    return largeReply(new URL(fileUrl("http://master", masterHost, job, name)).pathname);
  }

  /** Has nodes hold the pack of a job that is about to be accepted: two, or as many as there are. */
  async holdPack(job: string, candidates: readonly string[]): Promise<HeldPack> {
    const sha256 = await this.#digest(job, this.#parts.files.packFile(job));
    return { sha256, holders: await this.addHolders(job, candidates, packHoldersMax) };
  }

  /** Has `wanted` more of these nodes hold the job's pack, from wherever it is. Those that did, by name. */
  async addHolders(job: string, candidates: readonly string[], wanted: number): Promise<string[]> {
    const places = await this.pack(job);
    const message = toJsonBytes({ epoch: this.#parts.epoch(), job, ...places });
    const held: string[] = [];
    const rest = [...candidates];
    const next = async (): Promise<void> => {
      for (let host = rest.shift(); host !== undefined && held.length < wanted; host = rest.shift()) {
        try {
          await this.#parts.bus.request(`node.${part(host)}.hold-pack`, message, holdPatienceMs);
          held.push(host);
          return;
        } catch {
          // Another one does as well.
        }
      }
    };
    await Promise.all(Array.from({ length: wanted }, next));
    return held;
  }

  /** The job is no more. */
  forget(job: string): void {
    this.#digests.delete(job);
  }

  #digest(job: string, file: string): Promise<string> {
    const known = this.#digests.get(job);
    if (known !== undefined) return known;
    const hashed = hashOf(file);
    this.#digests.set(job, hashed);
    hashed.catch(() => this.#digests.delete(job));
    for (const oldest of this.#digests.keys()) {
      if (this.#digests.size <= digestsMax) break;
      this.#digests.delete(oldest);
    }
    return hashed;
  }
}

function fileUrl(base: string, host: string, job: string, name: string): string {
  const path = [...jobDirectory(host, job).split("/"), name].map(encodeURIComponent).join("/");
  return `${base.replace(/\/+$/, "")}/disco/${path}`;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
