/** Where the pack of a job is besides this master, and what it is. */
export interface HeldPack {
  /** Of the pack, hex. */
  readonly sha256: string;
  /** Nodes that have it. With none, the job depends on the disk of the master that took it, until nodes are there. */
  readonly holders: readonly string[];
}
