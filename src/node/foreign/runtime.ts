/** Everything that a node has for jobs that bring their own worker. Made with the first of their tasks: others need none of it. */

import type { JobHome } from "../job-home.ts";
import { ForeignWorker } from "./foreign-worker.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { type GatewayOptions, openGateway } from "./gateway/open-gateway.ts";
import type { GatewayAccess } from "./gateway-access.ts";
import { type ForeignHomeOptions, openForeignHome } from "./home.ts";
import type { AttemptLimits } from "./limits.ts";
import type { LostOutputsOptions } from "./lost-outputs.ts";
import { endOrphans } from "./orphans.ts";
import { TaskSurroundings } from "./task-surroundings.ts";

export interface ForeignRuntimeOptions extends LostOutputsOptions, GatewayOptions {
  /** Others than the usual ones, in tests. */
  readonly limits?: Partial<AttemptLimits> | undefined;
}

export class ForeignRuntime {
  readonly #options: ForeignRuntimeOptions;
  #opening: Promise<Gateway> | null = null;
  #gateway: Gateway | null = null;
  #closed = false;
  #swept: Promise<number> | undefined;

  constructor(options: ForeignRuntimeOptions) {
    this.#options = options;
  }

  /** @throws what `openForeignHome` throws */
  async open(job: Pick<ForeignHomeOptions, "job" | "worker" | "fetchPack">): Promise<JobHome> {
    const { dataDir, host, limits } = this.#options;
    await (this.#swept ??= endOrphans(dataDir));
    const home = await openForeignHome({ dataDir, host, ...job });
    const access = async (): Promise<GatewayAccess> => await (await this.#opened()).openJob(home.job);
    const surroundings = new TaskSurroundings({ ...this.#options, home, access });
    return {
      ...home,
      startWorker: (events, memoryLimitBytes) => new ForeignWorker({ surroundings, memoryLimitBytes, limits }, events),
    };
  }

  /** No process of the job lives any more. */
  ended(job: string): void {
    this.#gateway?.closeJob(job);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#gateway?.close();
  }

  /** Which waits for the master of this process, where that is what it leads to. */
  #opened(): Promise<Gateway> {
    this.#opening ??= openGateway(this.#options)
      .then(async (gateway) => {
        this.#gateway = gateway;
        if (this.#closed) await gateway.close();
        return gateway;
      })
      .catch((error: unknown) => {
        this.#opening = null;
        throw error;
      });
    return this.#opening;
  }
}
