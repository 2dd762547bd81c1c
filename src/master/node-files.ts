/**
 * What a master gives nodes of other machines that is too large for messages: job packs, and lists of many outputs. Nodes fetch them
 * from the master's server as files of the pseudo node `_master`.
 *
 * A pack outlives the master that took it: before a job is accepted two nodes hold it as well (`holdPack`), and a master that
 * takes over tells nodes to fetch it there.
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
import type { JobFiles } from "./job-files.ts";

/** Nodes that hold a pack besides the master. */
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
    if (!existsSync(file)) return { file, urls: held };
    return { file, sha256: await this.#digest(job, file), urls: [fileUrl(url(), masterHost, job, "jobfile"), ...held] };
  }

  /** The answer itself where it is small; else it lies beside the pack under that name, until the next one of the name or the job's end. */
  async reply(job: string, name: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.byteLength <= replyBytesMax) return bytes;
    await writeWhole(join(dirname(this.#parts.files.packFile(job)), name), bytes, privateFileMode);
    return largeReply(new URL(fileUrl("http://master", masterHost, job, name)).pathname);
  }

  /**
   * Has nodes hold the pack of a job that is about to be accepted, as many as there are up to two. Those that did, by name: with none
   * the job would be lost with this master's disk, which is for the caller to judge.
   */
  async holdPack(job: string, candidates: readonly string[]): Promise<string[]> {
    const places = await this.pack(job);
    const message = toJsonBytes({ epoch: this.#parts.epoch(), job, ...places });
    const held: string[] = [];
    const rest = [...candidates];
    const next = async (): Promise<void> => {
      for (let host = rest.shift(); host !== undefined && held.length < packHoldersMax; host = rest.shift()) {
        try {
          await this.#parts.bus.request(`node.${part(host)}.hold-pack`, message, holdPatienceMs);
          held.push(host);
          return;
        } catch {
          // Another one does as well.
        }
      }
    };
    await Promise.all(Array.from({ length: packHoldersMax }, next));
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
