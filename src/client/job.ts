/** The handle of one job. */
import type { Disco } from "./disco.ts";
import type { EventsOptions, ResultsOptions } from "./disco-options.ts";
import type { AnyReduceOutput, KeyOf, Nothing, ResultPair, Returned, ValueOf, Widen } from "./infer.ts";
import type { JobDict } from "./job-dict.ts";
import { markAsJob } from "./job-mark.ts";
import type { AnyJobOptions, JobOptions } from "./job-options.ts";
import type { JobEvent, JobInfo } from "./master-api.ts";
import type { ProfileStats } from "./profile/profile-stats.ts";
import type { JobInput, pairType, Results } from "./results.ts";
import { submitJob } from "./submit.ts";
import type { WaitOptions } from "./wait.ts";

/**
 * A job that runs, or is to run, at a master. `newJob` makes one; `new Job(disco, name)` is the handle of a job that exists,
 * or starts a new one by `run`. `await using`, or `using`, purges the job at the end of its block.
 *
 * @typeParam K keys of the results, `V` their values
 */
export class Job<K = unknown, V = unknown> {
  readonly disco: Disco;
  #name: string;
  declare readonly [pairType]?: readonly [K, V];

  constructor(disco: Disco, name: string) {
    this.disco = disco;
    this.#name = name;
  }

  /** The unique name once the job has started; before that the prefix that it was made with. */
  get name(): string {
    return this.#name;
  }

  /**
   * Starts a job whose name begins with this one's, and returns it (the same object, which has the unique name from now on).
   * Options and errors are those of `Disco.newJob`.
   */
  run<K, V>(jobDict: JobDict<K, V>): Promise<Job<K, V>>;
  run<
    In extends JobInput,
    E = string,
    // biome-ignore lint/complexity/noBannedTypes: without params there are none.
    P extends object = {},
    K1 = KeyOf<In>,
    V1 = ValueOf<In>,
    RK = K1,
    RV = V1,
    K2 = RK,
    V2 = RV,
    R extends Nothing = Returned,
    O extends AnyReduceOutput = AnyReduceOutput,
  >(
    jobDict: JobOptions<In, E, P, K1, V1, RK, RV, K2, V2, R, O>,
  ): Promise<Job<Widen<ResultPair<K2, V2, R, O>[0]>, Widen<ResultPair<K2, V2, R, O>[1]>>>;
  async run(jobDict: AnyJobOptions | JobDict): Promise<unknown> {
    this.#name = await submitJob(this.disco, this.#name, jobDict);
    return this;
  }

  /** `Disco.wait` of this job. */
  async wait(options?: WaitOptions): Promise<Results<K, V>> {
    return this.disco.wait<K, V>(this, options);
  }

  /** `Disco.results` of this job. */
  results(options?: ResultsOptions): Promise<Results<K, V>> {
    return this.disco.results<K, V>(this, options);
  }

  /** `Disco.events` of this job. */
  events(offset?: number, options?: EventsOptions): AsyncIterable<[offset: number, event: JobEvent]> {
    return this.disco.events(this, offset, options);
  }

  jobinfo(): Promise<JobInfo> {
    return this.disco.jobinfo(this);
  }

  /** The raw job pack. */
  jobspec(): Promise<Uint8Array> {
    return this.disco.jobspec(this);
  }

  jobdict(): Promise<JobDict> {
    return this.disco.jobdict(this);
  }

  mapresults(): Promise<string[]> {
    return this.disco.mapresults(this);
  }

  kill(): Promise<void> {
    return this.disco.kill(this);
  }

  clean(): Promise<void> {
    return this.disco.clean(this);
  }

  purge(): Promise<void> {
    return this.disco.purge(this);
  }

  oobGet(key: string): Promise<Uint8Array> {
    return this.disco.oobGet(this, key);
  }

  oobList(): Promise<string[]> {
    return this.disco.oobList(this);
  }

  /** `Disco.profileStats` of this job. */
  profileStats(mode?: string): Promise<ProfileStats> {
    return this.disco.profileStats(this, mode);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disco.purge(this);
  }

  /** `using`: begins to purge, and waits for nothing; what goes wrong is a warning of the process. */
  [Symbol.dispose](): void {
    this.disco.purge(this).catch((error: unknown) => process.emitWarning(error as Error));
  }
}
markAsJob(Job.prototype);
