/**
 * Files of jobs that clients ask a master for and that are not on its disk: packs of jobs that another master accepted, out-of-band
 * values of tasks of other machines. They are fetched from nodes that have them and kept beside the job's own files, so that they
 * go with the job. Each is fetched once, however many ask; a pack that arrives is compared with the SHA-256 in the journal, the rest
 * with that which the node tells.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { OobEntry } from "../core/job/info.ts";
import { DataError, DiscoError } from "../errors.ts";
import { download } from "../node/fetch/download.ts";
import type { Peers } from "../node/fetch/peers.ts";
import { jobDirectory } from "../node/job-directory.ts";
import { privateDirectoryMode } from "../node/private-modes.ts";
import type { DiscoAddress } from "../schemes/disco.ts";
import type { JobFiles } from "./job-files.ts";

/** A million lines. */
const indexBytesMax = 256 * 1024 * 1024;
/** Somebody waits for the answer. */
const roundsMax = 3;

export interface DistantFilesParts {
  readonly files: JobFiles;
  readonly peers: Peers;
  /** Base URLs of the nodes' data servers, by name. */
  readonly dataServers: () => Readonly<Record<string, string>>;
  /** Nodes that may have the job's pack, the likeliest first. */
  readonly holders: (job: string) => readonly string[];
  /** SHA-256 of the job's pack, hex; `null`: the journal does not say. */
  readonly packSha256: (job: string) => string | null;
  /** Whether there still is such a job. */
  readonly knows: (job: string) => boolean;
}

export class DistantFiles {
  readonly #parts: DistantFilesParts;
  readonly #coming = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(parts: DistantFilesParts) {
    this.#parts = parts;
  }

  /** The pack is on this disk. @throws DiscoError `no-job-pack` */
  async pack(job: string): Promise<void> {
    const { files, holders, packSha256 } = this.#parts;
    const urls = holders(job).flatMap((host) => this.#urls(host, `${jobDirectory(host, job)}/jobfile`));
    try {
      await this.#bring(job, files.packFile(job), urls, packSha256(job));
    } catch (cause) {
      throw new DiscoError(`the job pack of ${job} is not here, and no node gives it: ${reasonOf(cause)}`, {
        code: "no-job-pack",
        retry: "here",
        job,
        cause,
        hint: "Ask again when the nodes that hold it are back, or the master that accepted the job.",
      });
    }
  }

  /** Absolute path of the value. @throws DiscoError `value-unreachable` */
  async value(job: string, { key, host, file }: OobEntry): Promise<string> {
    const digest = createHash("sha256").update(file).digest("hex");
    const to = join(dirname(this.#parts.files.packFile(job)), "oob", digest);
    try {
      await this.#bring(job, to, this.#urls(host, file));
    } catch (cause) {
      throw new DiscoError(
        `the value ${JSON.stringify(key)} of ${job} cannot be had from ${host}: ${reasonOf(cause)}`,
        {
          code: "value-unreachable",
          retry: "here",
          job,
          cause,
          hint: `Ask again when node ${host} is back.`,
        },
      );
    }
    return to;
  }

  /** The bytes of an index of results; `undefined`: its node is none of this cluster. @throws DiscoError `index-unreachable` */
  async index({ node, path }: Pick<DiscoAddress, "node" | "path">): Promise<Uint8Array | undefined> {
    const [url] = this.#urls(node, path.replace(/^\/disco\//, ""));
    if (url === undefined) return undefined;
    const { signal } = this.#closing;
    const reply = await this.#parts.peers.ask(url, { method: "GET", signal });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > indexBytesMax) throw unreachable(`it has more than ${indexBytesMax} bytes`);
      chunks.push(chunk);
    }
    if (reply.statusCode === 404) throw new DataError(`node ${node} has no file ${path}`, { code: "no-such-file" });
    if (reply.statusCode !== 200) throw unreachable(`node ${node} answers ${reply.statusCode}`);
    return Buffer.concat(chunks);
  }

  close(): void {
    this.#closing.abort(new DiscoError("the master is being closed", { code: "closed" }));
  }

  async #bring(job: string, to: string, urls: readonly string[], sha256: string | null = null): Promise<void> {
    if (existsSync(to)) return;
    let coming = this.#coming.get(to);
    if (coming === undefined) {
      coming = this.#fetch(job, to, urls, sha256).finally(() => this.#coming.delete(to));
      this.#coming.set(to, coming);
    }
    await coming;
  }

  async #fetch(job: string, to: string, urls: readonly string[], sha256: string | null): Promise<void> {
    const { files, peers, knows } = this.#parts;
    await mkdir(dirname(to), { recursive: true, mode: privateDirectoryMode });
    await download(to, { peers, urls, sha256: sha256 ?? undefined, signal: this.#closing.signal, rounds: roundsMax });
    if (knows(job)) return;
    // Purged meanwhile: nobody would ever delete it.
    await files.unclaim(job);
    throw new DiscoError(`there is no job ${job} any more`, { code: "unknown-job", job });
  }

  /** `path`: relative to a data directory. */
  #urls(host: string, path: string): string[] {
    const base = this.#parts.dataServers()[host];
    if (base === undefined) return [];
    return [`${base.replace(/\/+$/, "")}/disco/${path.split("/").map(encodeURIComponent).join("/")}`];
  }
}

function unreachable(why: string): DiscoError {
  return new DiscoError(`the index cannot be had: ${why}`, { code: "index-unreachable", retry: "here" });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
