/** What a node does about its blobs besides serving them: it answers masters, tells them of damage, and knows whose blobs they are. */
import type { NodeWelcome } from "../../protocol/messages.ts";
import type { MasterLink } from "../master-link.ts";
import { type BlobRequestParts, type ServeSubject, serveBlobSubjects } from "./blob-subjects.ts";
import { DamageReports } from "./damage-reports.ts";

export interface BlobDutiesParts extends BlobRequestParts {
  readonly master: MasterLink;
}

export class BlobDuties {
  readonly #parts: BlobDutiesParts;
  readonly #reports: DamageReports;
  #end: () => Promise<void> = () => Promise.resolve();

  constructor(parts: BlobDutiesParts) {
    this.#parts = parts;
    this.#reports = new DamageReports(parts.master, parts.blobs);
  }

  serve(serve: ServeSubject): void {
    this.#end = serveBlobSubjects(serve, this.#parts);
  }

  /** What a node says of them when it joins. */
  async hello(): Promise<{ readonly cluster?: string }> {
    const { blobs } = this.#parts;
    // What all nodes share is the affair of masters.
    const cluster = blobs.sharedHost === null ? await blobs.cluster() : null;
    return cluster === null ? {} : { cluster };
  }

  /** A master has let the node in. Several masters check first whose blobs it has; on one machine that is for who opens them. */
  joined({ cluster = null }: NodeWelcome): void {
    const { blobs, peers } = this.#parts;
    if (peers === null || cluster === null || blobs.sharedHost !== null) return;
    void blobs.belongTo(cluster).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#reports.close();
    await this.#end();
  }
}
