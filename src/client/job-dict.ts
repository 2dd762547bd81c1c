/**
 * A job as a value: checked options, which can be packed, sent and unpacked. Like the seed's `JobDict` it is a dictionary: its
 * options are its properties, and `{ ...dict, partitions: 8 }` is a variation of it.
 */
import { DiscoError } from "../errors.ts";
import type { AnyReduceOutput, KeyOf, Nothing, ResultPair, Returned, ValueOf, Widen } from "./infer.ts";
import type { AnyJobOptions, JobDefinitionOptions } from "./job-options.ts";
import type { JobInput, pairType } from "./results.ts";
import { validateOptions } from "./validate.ts";

/** The pairs that a job with these options ends with. */
export type JobDict<K = unknown, V = unknown> = Readonly<Partial<AnyJobOptions>> & {
  /**
   * The job pack: everything that the job needs, for any machine that has this software.
   * @throws JobError for inputs that are not there and functions that cannot travel
   */
  pack(): Promise<Uint8Array>;
  readonly [pairType]?: readonly [K, V];
};

interface JobDictConstructor {
  /** @throws JobError `unknown-option`, `bad-option` */
  new <
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
    options: JobDefinitionOptions<In, E, P, K1, V1, RK, RV, K2, V2, R, O>,
  ): JobDict<Widen<ResultPair<K2, V2, R, O>[0]>, Widen<ResultPair<K2, V2, R, O>[1]>>;
  /**
   * The job dict in a job pack. Its functions can be called; they are the shipped ones, without the submitter's surroundings.
   * @throws DiscoError `bad-job-pack` when the bytes are not a job pack of disco-mapreduce
   */
  unpack(pack: Uint8Array): Promise<JobDict>;
  readonly prototype: JobDict;
}

const packedBytes = new WeakMap<object, Uint8Array>();

class JobOptionsDict {
  constructor(options: AnyJobOptions) {
    validateOptions(options);
    Object.assign(this, options);
    Object.freeze(this);
  }

  async pack(): Promise<Uint8Array> {
    const packed = packedBytes.get(this);
    if (packed !== undefined) return packed;
    const { makeJobPack } = await import("./job-pack.ts");
    return makeJobPack({ ...this } as unknown as AnyJobOptions, { portable: true });
  }

  static async unpack(pack: Uint8Array): Promise<JobDict> {
    if (!(pack instanceof Uint8Array)) {
      throw new DiscoError("JobDict.unpack: the bytes of a job pack were expected", { code: "bad-job-pack" });
    }
    const { unpackOptions } = await import("./job-unpack.ts");
    const dict = new JobDict((await unpackOptions(pack)) as AnyJobOptions);
    packedBytes.set(dict, pack);
    return dict;
  }
}
Object.defineProperty(JobOptionsDict, "name", { value: "JobDict" });

export const JobDict: JobDictConstructor = JobOptionsDict as unknown as JobDictConstructor;

/** The bytes that `dict` was unpacked from, if it was. */
export function packOf(dict: unknown): Uint8Array | undefined {
  return typeof dict === "object" && dict !== null ? packedBytes.get(dict) : undefined;
}
