/**
 * The embedded engine: master and node in this process, worker processes beside it, journal in a file. The same parts that
 * run apart on a cluster.
 */
import { availableParallelism } from "node:os";
import type { SharedStore } from "../blobs/blobs.ts";
import type { MasterApi } from "../client/master-api.ts";
import { defaultAlpha } from "../core/scheduler/job-order.ts";
import { DiscoError } from "../errors.ts";
import type { LocalJournal } from "../journal/local.ts";
import { openMemoryJournal } from "../journal/memory.ts";
import { OwnBlobs } from "../node/ddfs/own-blobs.ts";
import { type SpareWorker, usualMemoryLimitBytes } from "../node/spare-worker.ts";
import { rootDirectory } from "../root-directory.ts";
import { openEngine } from "./engine.ts";
import { openFreeJournal } from "./free-journal.ts";
import { openRoot } from "./root.ts";
import { scriptsVolume } from "./root-journals.ts";

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
  const { journal, blobs } = options.journal === "memory" ? ofThisProcess(dataDir) : await ofRoot(root, dataDir);
  return await openEngine({
    host: embeddedHost,
    address: () => embeddedAddress,
    dataDir,
    blobs,
    journal,
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

/**
 * Where decisions are recorded, and which blobs they are about. What garbage collection deletes is what its journal does not name: so the
 * engines and the daemon that may share a root have volumes of their own. Of several engines at once only the one with the first journal
 * has DDFS: tags in another one would be gone when that number is not given out again.
 */
interface Kept {
  readonly journal: LocalJournal;
  readonly blobs: OwnBlobs;
}

/** Of engines that leave nothing behind. */
function ofThisProcess(dataDir: string): Kept {
  return { journal: openMemoryJournal(), blobs: new OwnBlobs({ dataDir, scratch: true }) };
}

/** The engine reads no other settings: what is loaded for it is loaded where there is one. */
async function storeOfEnvironment(): Promise<SharedStore | null> {
  const { DDFS_STORE: store = "" } = process.env;
  if (store === "") return null;
  const { s3Store } = await import("../blobs/s3/shared-store.ts");
  return s3Store(store, process.env);
}

async function ofRoot(root: string, dataDir: string): Promise<Kept> {
  const { journal, isFirst } = openFreeJournal(root);
  if (isFirst)
    return { journal, blobs: new OwnBlobs({ dataDir, first: scriptsVolume, shared: await storeOfEnvironment() }) };
  const store = (): Promise<never> => {
    const busy = new DiscoError(`another script on ${root} has its tags and blobs`, {
      code: "root-busy",
      hint: "One script at a time uses DDFS without a daemon: run `disco start`, and give its address to all, or give each a root of its own.",
    });
    return Promise.reject(busy);
  };
  return { journal, blobs: new OwnBlobs({ dataDir, store }) };
}
