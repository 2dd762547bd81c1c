/**
 * The embedded engine: master and node in this process, worker processes beside it, journal in a file. The same parts that
 * run apart on a cluster.
 */
import { availableParallelism } from "node:os";
import type { MasterApi } from "../client/master-api.ts";
import { defaultAlpha } from "../core/scheduler/job-order.ts";
import { openMemoryJournal } from "../journal/memory.ts";
import { OwnBlobs } from "../node/ddfs/own-blobs.ts";
import { type SpareWorker, usualMemoryLimitBytes } from "../node/spare-worker.ts";
import { rootDirectory } from "../root-directory.ts";
import { openEngine } from "./engine.ts";
import { openFreeJournal } from "./free-journal.ts";
import { openRoot } from "./root.ts";

export interface EmbeddedOptions {
  /** Directory for everything that is kept. Default: `$DISCO_ROOT`, `$XDG_DATA_HOME/disco` or `~/.local/share/disco`. */
  readonly root?: string;
  /** Worker processes at once. Default: the number of cores. */
  readonly slots?: number;
  /** `sqlite` (default): jobs are known to later processes. `memory`: only to this one. */
  readonly journal?: "sqlite" | "memory";
  /** Labels of the node, for jobs that ask for some. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Memory limit, in bytes, that the first job will probably have: its worker is started before it comes. Default 1 GiB. */
  readonly memoryLimitBytes?: number;
  /** The first worker, which is being started already. Closed with the engine, also when that cannot be opened. */
  readonly spare?: SpareWorker;
  /** Instead of `worker/main`, in tests. */
  readonly workerScript?: string;
}

/** The name of the only node, in addresses of results as well. */
export const embeddedHost = "localhost";
const embeddedAddress = `disco://${embeddedHost}`;

/**
 * Opens the engine on a root directory. Several processes may do so at once: each has a journal of its own, and all share the
 * data directory. Jobs that a dead process left unfinished are `dead`, with what had been finished as the reason.
 * @throws DiscoError `bad-root`, `bad-option`, and what the journal throws (`journal-corrupt`, `newer-version` …)
 */
export async function openEmbedded(options: EmbeddedOptions = {}): Promise<MasterApi> {
  try {
    return await open(options.root ?? rootDirectory(), options);
  } catch (error) {
    await options.spare?.close();
    throw error;
  }
}

async function open(root: string, options: EmbeddedOptions): Promise<MasterApi> {
  const dataDir = await openRoot(root);
  const { spare, workerScript } = options;
  return await openEngine({
    host: embeddedHost,
    address: () => embeddedAddress,
    dataDir,
    // Other processes may have their engines on the same root.
    blobs: new OwnBlobs({ dataDir, isAlone: false }),
    journal: options.journal === "memory" ? openMemoryJournal() : openFreeJournal(root),
    slots: options.slots ?? availableParallelism(),
    labels: options.labels ?? {},
    scheduler: { policy: "fair", alpha: defaultAlpha },
    token: process.env["DISCO_TOKEN"],
    memoryLimitBytes: options.memoryLimitBytes ?? usualMemoryLimitBytes,
    spare,
    takeover: "interrupt",
    ...(workerScript === undefined ? {} : { workerScript }),
  });
}
