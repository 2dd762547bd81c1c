/** Everything that a node has for jobs that bring their own worker. Made with the first of their tasks: others need none of it. */

import type { JobHome } from "../job-home.ts";
import { ForeignWorker } from "./foreign-worker.ts";
import type { GatewayAccess } from "./gateway-access.ts";
import { type ForeignHomeOptions, openForeignHome } from "./home.ts";
import type { AttemptLimits } from "./limits.ts";
import type { LostOutputsOptions } from "./lost-outputs.ts";
import { TaskSurroundings } from "./task-surroundings.ts";

export interface ForeignRuntimeOptions extends LostOutputsOptions {
  /** Address of the master, `disco://HOST:PORT`. */
  readonly master: () => string;
  /** Others than the usual ones, in tests. */
  readonly limits?: Partial<AttemptLimits> | undefined;
}

export class ForeignRuntime {
  readonly #options: ForeignRuntimeOptions;

  constructor(options: ForeignRuntimeOptions) {
    this.#options = options;
  }

  /** @throws what `openForeignHome` throws */
  async open(job: Pick<ForeignHomeOptions, "job" | "worker" | "fetchPack">): Promise<JobHome> {
    const { dataDir, host, limits } = this.#options;
    const home = await openForeignHome({ dataDir, host, ...job });
    const surroundings = new TaskSurroundings({ ...this.#options, home, access: () => this.#access() });
    return {
      ...home,
      startWorker: (events, memoryLimitBytes) => new ForeignWorker({ surroundings, memoryLimitBytes, limits }, events),
    };
  }

  /** Addresses as they are: what serves them is the node's own master. */
  #access(): Promise<GatewayAccess> {
    const { dataDir } = this.#options;
    const master = this.#options.master().replace(/^disco:/, "http:");
    const port = Number(new URL(master).port || 80);
    return Promise.resolve({
      master,
      discoPort: port,
      putPort: port,
      discoData: dataDir,
      ddfsData: `${dataDir}/ddfs`,
      environment: { DISCO_PORT: String(port) },
      addressForWorker: (url) => url,
      addressFromWorker: (url) => url,
    });
  }
}
