/**
 * The options of `newJob`, `Job.run` and `JobDict`: the seed's keyword arguments in camelCase, and our additions.
 */
import type { Grouping } from "../core/job/spec.ts";
import type {
  Combiner,
  Entry,
  InitFunction,
  MapResult,
  Nothing,
  Pairs,
  Partitioner,
  Reader,
  ReaderChain,
  Widen,
  Writer,
  WriterChain,
} from "./infer.ts";

export interface SchedulerOptions {
  /** Tasks of the job that may run at once, map and reduce alike. Default: 2**31. */
  readonly maxCores?: number;
  /** Run tasks only on a node that holds their input. Default: false. */
  readonly forceLocal?: boolean;
  /** Never run a task on a node that holds its input. Default: false. */
  readonly forceRemote?: boolean;
}

/** Options that no other option's type depends on. */
export interface PlainOptions {
  /**
   * Number of partitions of the map output, 1 to 1,000,000; `null`: no partitioning, the whole output of a task stays
   * together (and one reduce reads everything). Default: 1.
   */
  readonly partitions?: number | null;
  /** @deprecated The seed's old name of `partitions`; warns once. */
  readonly nrReduces?: number;
  /** One reduce for all partitions of the input instead of one for each. Default: false. */
  readonly mergePartitions?: boolean;
  readonly scheduler?: SchedulerOptions;
  /**
   * `true`: the input of `reduce` is sorted ascending by key, on disk. `"merge"`: each input is sorted already, merge them.
   * Default: false, any order.
   */
  readonly sort?: boolean | "merge";
  /**
   * Parameters of external programs, which read them before the first record: strings by name, for programs that read them with
   * `ext/disco.h`; or text or bytes of any format, which go as they are. Default: none.
   */
  readonly extParams?: string | Uint8Array | Readonly<Record<string, string>>;
  /** Files for the task's working directory: paths, or contents by file name. */
  readonly requiredFiles?: readonly string[] | Readonly<Record<string, string | Uint8Array>>;
  /** Modules that a worker imports before the job's functions: package names, paths or file URLs. */
  readonly requiredModules?: readonly string[];
  /** An event "N items mapped" for every so many items; 0: none. Default: 100,000. */
  readonly statusInterval?: number;
  /** Each task records a CPU profile of itself, for `profileStats`. Default: false. */
  readonly profile?: boolean;
  /**
   * Keep the results in DDFS, with as many replicas as other blobs, and say so before the job is ready: its result is then the address of
   * the tag `disco:results:JOB`, which `purge` does not delete. Default: false.
   */
  readonly save?: boolean;
  /** First part of the job's name, `[a-zA-Z0-9_]{1,100}`. `newJob` sets it. Default: `job`. */
  readonly prefix?: string;
  /** The same as `prefix`, for jobs that `disco run` names. */
  readonly name?: string;
  /** How often a failed task is tried again before the job dies, 0 to 1000. Default: 3. */
  readonly retries?: number;
  /** Seconds without progress after which a task is killed and tried again; `null`: never. Default: null. */
  readonly taskTimeout?: number | null;
  /** Memory of one worker process in MB (2**20 bytes), at least 128. Default: 1024. */
  readonly memoryLimit?: number;
  /** Calls of an async `map` in flight in one task, 1 to 10,000. Default: 16. */
  readonly concurrency?: number;
  /** Labels that a node must carry to run the job's tasks, e.g. `{ gpu: "1" }`. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Salts the default partitioner and seeds `task.random()`: an unsigned 32-bit integer. Default: 0. */
  readonly seed?: number;
  /**
   * Big local text files are read by several map tasks, in ranges of about so many bytes; 0: one task a file. Only with the
   * default reader. Default: 64 MiB (67,108,864); 0 where `mapInit` takes the input, as it may read a header.
   */
  readonly splitBytes?: number;
  /** Keep intermediate files after the job has ended. Default: false. */
  readonly keep?: boolean;
}

/** One stage of the `pipeline` option: a `map` or a `reduce`, and how the outputs before it are grouped. */
export interface StageOptions {
  /** `[a-zA-Z0-9_]{1,100}`, unique in the pipeline. Default: `stage0`, `stage1` … */
  readonly name?: string;
  /** Default: `split` for a map, `group_label` for a reduce. */
  readonly grouping?: Grouping;
  // biome-ignore lint/suspicious/noExplicitAny: the pairs of a pipeline are not typed from stage to stage.
  readonly map?: (entry: any, params: any) => MapResult<unknown, unknown>;
  readonly reduce?: (
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    pairs: Pairs<any, any>,
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    outOrParams: any,
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    params: any,
  ) => MapResult<unknown, unknown> | Nothing;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly init?: InitFunction<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly combiner?: Combiner<any, any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly partition?: Partitioner<any, any>;
  /** Of this stage's output. Default: 1; of the last stage, `null`. */
  readonly partitions?: number | null;
  /** How this stage's input comes, as the flat option. Only of a `reduce`. */
  readonly sort?: boolean | "merge";
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly reader?: Reader<any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly inputStream?: readonly Reader<any, any>[];
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly outputStream?: WriterChain<any>;
  /** As the flat option, of this stage. */
  readonly concurrency?: number;
}

/**
 * The options of a job.
 *
 * @typeParam In what `input` is: results of typed jobs tell `chainReader` their types
 * @typeParam E entries of the map reader, `P` params, `K1, V1` what `map` emits, `RK, RV` what `reduce` reads,
 * `K2, V2` what it emits, `R` what else it returns, `O` its `out`
 */
export interface JobOptions<In, E, P, K1, V1, RK, RV, K2, V2, R, O>
  extends JobFunctions<In, E, P, K1, V1, RK, RV, K2, V2, R, O> {
  /**
   * What to read: addresses (`http(s)://`, `disco://`, `dir://`, `raw://text`, `file://`, a local path or glob), lists of
   * addresses with the same data (replicas; needs `map`), results of a job, or a job, for which the new one waits.
   */
  readonly input: In;
}

/** A job dict whose input may come later: what `new JobDict` takes. */
export interface JobDefinitionOptions<In, E, P, K1, V1, RK, RV, K2, V2, R, O>
  extends JobFunctions<In, E, P, K1, V1, RK, RV, K2, V2, R, O> {
  readonly input?: In;
}

/** All options but the input. */
export interface JobFunctions<In, E, P, K1, V1, RK, RV, K2, V2, R, O> extends PlainOptions {
  /** Any object; each task gets a copy of its own. Functions are allowed as values. Default: `{}`. */
  readonly params?: P;
  /** Last of `mapInputStream`; makes entries of bytes. Default: `mapLineReader`, lines of text. */
  readonly mapReader?: Reader<E, NoInfer<P>>;
  /** Readers, each reading what the one before gives. The last, or `mapReader` if given, makes the entries. */
  readonly mapInputStream?: ReaderChain<E, NoInfer<P>>;
  /** Called once before a map task, with its entries. */
  readonly mapInit?: InitFunction<NoInfer<P>>;
  /** A pure function from an entry to pairs. */
  readonly map?: (entry: Entry<NoInfer<E>, NoInfer<In>>, params: NoInfer<P>) => MapResult<K1, V1>;
  /** Joins pairs of one partition before they are written. */
  readonly combiner?: Combiner<NoInfer<Widen<K1>>, NoInfer<Widen<V1>>, NoInfer<P>>;
  /** `(key, nrPartitions, params)` → 0 … nrPartitions - 1. Default: a stable hash of the key's value. */
  readonly partition?: Partitioner<NoInfer<Widen<K1>>, NoInfer<P>>;
  /** How map output becomes bytes; the last one's `add` gets the pairs. Default: Disco's record blocks. */
  readonly mapOutputStream?: WriterChain<NoInfer<P>>;
  /** @deprecated The seed's old form of `mapOutputStream`; warns once. */
  readonly mapWriter?: Writer<NoInfer<P>>;
  /** Reads the map output, or the job's input where there is no map. Default: `chainReader`. */
  readonly reduceReader?: Reader<readonly [RK, RV], NoInfer<P>>;
  readonly reduceInputStream?: ReaderChain<readonly [RK, RV], NoInfer<P>>;
  /** Called once before a reduce task. */
  readonly reduceInit?: InitFunction<NoInfer<P>>;
  /**
   * All pairs of a partition to results: `(pairs, params)` returns an iterable of pairs, `(pairs, out, params)` calls
   * `out.add(key, value)`.
   */
  readonly reduce?: (
    pairs: Pairs<NoInfer<Widen<RK>>, NoInfer<Widen<RV>>>,
    outOrParams: NoInfer<P> & O,
    params: NoInfer<P>,
  ) => MapResult<K2, V2> | R;
  /** How results become bytes. Default: Disco's record blocks, which `resultIterator` reads. */
  readonly reduceOutputStream?: WriterChain<NoInfer<P>>;
  /** @deprecated The seed's old form of `reduceOutputStream`; warns once. */
  readonly reduceWriter?: Writer<NoInfer<P>>;
  /** Stages of your own instead of `map` and `reduce` (Disco 0.5's pipelines). */
  readonly pipeline?: readonly StageOptions[];
}

/** Options of any types, as the code inside handles them. */
// biome-ignore lint/suspicious/noExplicitAny: erases what the signatures of newJob, run and JobDict inferred.
export type AnyJobOptions = JobDefinitionOptions<any, any, any, any, any, any, any, any, any, any, any>;
