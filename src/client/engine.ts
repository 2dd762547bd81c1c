/** Which master a `Disco` talks to, and the way to it: one elsewhere, or the engine in this process. */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Forking from "../node/spare-worker.ts";
import { packageModule } from "../package-files.ts";
import { rootDirectory } from "../root-directory.ts";
import { masterAddress } from "./address.ts";
import { rememberRoot } from "./data-place.ts";
import { checkDiscoOptions, type DiscoOptions, remoteOptions } from "./disco-options.ts";
import type { MasterApi } from "./master-api.ts";
import { scriptSettings } from "./script-settings.ts";

/** Who will run a job, as far as that decides on what goes into its pack. */
export type JobPlace =
  /** The engine in this process, with its data directory. */
  | { readonly kind: "embedded"; readonly dataDir: string }
  /** Processes of this machine: they see its files. */
  | { readonly kind: "here" }
  /** Machines that have nothing of this one's. */
  | { readonly kind: "elsewhere"; readonly master: string };

/** What is known of the first job when an engine is opened for it. */
export interface FirstJob {
  readonly memoryLimitBytes: number;
  /** With how many tasks it begins, as far as can be seen: it will want so many processes, where there are as many slots. */
  readonly tasks: number;
}

export interface Engine {
  readonly place: JobPlace;
  /** Base URLs of the masters of one cluster; none: it runs in this process. */
  readonly urls: readonly string[];
  open(first?: FirstJob): Promise<MasterApi>;
}

/** Throws `DiscoError` `bad-address`, `bad-config-file`, `bad-setting`, `JobError` `unknown-option` or `bad-option`. */
export function engineOf(address: unknown, options: DiscoOptions): Engine {
  scriptSettings();
  const master = masterAddress(address);
  checkDiscoOptions(options, master);
  if (master === null) {
    const dataDir = (): string => join(rootDirectory(options.root), "data");
    return {
      get place(): JobPlace {
        return { kind: "embedded", dataDir: dataDir() };
      },
      urls: [],
      open: (first) => openEmbedded(options, first),
    };
  }
  const { isHere, shown, urls } = master;
  const connecting = remoteOptions(options, urls);
  return {
    place: isHere ? { kind: "here" } : { kind: "elsewhere", master: shown },
    urls,
    async open() {
      const { connectMaster } = await import("./remote/connect.ts");
      return connectMaster(master, connecting);
    },
  };
}

async function openEmbedded(
  { root: given, workers, journal, labels }: DiscoOptions,
  first: FirstJob | undefined,
): Promise<MasterApi> {
  const root = rootDirectory(given);
  rememberRoot(root);
  // A process takes longer to start than the engine, so it comes first; at once, not when the caller has loaded something else.
  const { SpareWorker, usualMemoryLimitBytes } = forking();
  const { memoryLimitBytes = usualMemoryLimitBytes, tasks = 1 } = first ?? {};
  const slots = workers ?? scriptSettings()?.workers ?? availableParallelism();
  const spare = new SpareWorker({ dataDir: join(root, "data"), memoryLimitBytes });
  spare.prepare(Math.min(slots, tasks));
  const { openEmbedded } = await import("../master/embedded.ts");
  return openEmbedded({
    root,
    spare,
    slots,
    ...(journal === undefined ? {} : { journal }),
    ...(labels === undefined ? {} : { labels }),
  });
}

function forking(): typeof Forking {
  return createRequire(import.meta.url)(fileURLToPath(packageModule("node/spare-worker"))) as typeof Forking;
}
