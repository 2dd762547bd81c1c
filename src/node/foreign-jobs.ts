/** The node's runtime for jobs that bring their own worker, loaded with the first of their tasks: others need none of it. */
import type { TaskInput } from "../core/job/spec.ts";
import type { AttemptId } from "../protocol/messages.ts";
import type { OpenInputs, OpenInputsOptions } from "./foreign/open-inputs.ts";
import type { ForeignRuntime, ForeignRuntimeOptions } from "./foreign/runtime.ts";
import type { JobHome } from "./job-home.ts";

type StageInput = Extract<TaskInput, { kind: "stage" }>;

export interface ForeignJobsOptions extends ForeignRuntimeOptions {
  /** For tasks that begin before the stage before has ended. */
  readonly openInputs: OpenInputsOptions;
}

export class ForeignJobs {
  readonly #options: ForeignJobsOptions;
  #openInputs: Promise<OpenInputs> | undefined;
  #runtime: Promise<ForeignRuntime> | undefined;

  constructor(options: ForeignJobsOptions) {
    this.#options = options;
  }

  /** The home of a job with this worker. @throws what `openForeignHome` throws */
  async open(job: string, worker: string, fetchPack: (file: string) => Promise<void>): Promise<JobHome> {
    this.#runtime ??= import("./foreign/runtime.ts").then(({ ForeignRuntime }) => new ForeignRuntime(this.#options));
    return await (await this.#runtime).open({ job, worker, fetchPack });
  }

  /** The manifest's file of an attempt that is told of further outputs while it runs. @throws as `OpenInputs.follow` */
  async follow(id: AttemptId, home: JobHome, { stage, version }: StageInput): Promise<string> {
    this.#openInputs ??= import("./foreign/open-inputs.ts").then(
      ({ OpenInputs }) => new OpenInputs(this.#options.openInputs),
    );
    return await (await this.#openInputs).follow(id, home, stage, version);
  }

  /** Nothing of the job is asked for any more. */
  async forget(job: string): Promise<void> {
    await (await this.#openInputs)?.forget(job);
  }

  /** No process of the job lives any more. */
  async ended(job: string): Promise<void> {
    (await this.#runtime)?.ended(job);
  }

  async close(): Promise<void> {
    await (await this.#runtime)?.close();
  }
}
