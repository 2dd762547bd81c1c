/** The node's runtime for jobs that bring their own worker, loaded with the first of their tasks: others need none of it. */
import type { ForeignRuntime, ForeignRuntimeOptions } from "./foreign/runtime.ts";
import type { JobHome } from "./job-home.ts";

export class ForeignJobs {
  readonly #options: ForeignRuntimeOptions;
  #runtime: Promise<ForeignRuntime> | undefined;

  constructor(options: ForeignRuntimeOptions) {
    this.#options = options;
  }

  /** The home of a job with this worker. @throws what `openForeignHome` throws */
  async open(job: string, worker: string, fetchPack: (file: string) => Promise<void>): Promise<JobHome> {
    this.#runtime ??= import("./foreign/runtime.ts").then(({ ForeignRuntime }) => new ForeignRuntime(this.#options));
    return await (await this.#runtime).open({ job, worker, fetchPack });
  }

  /** No process of the job lives any more. */
  async ended(job: string): Promise<void> {
    (await this.#runtime)?.ended(job);
  }

  async close(): Promise<void> {
    await (await this.#runtime)?.close();
  }
}
