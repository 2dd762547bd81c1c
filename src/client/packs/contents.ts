/** What a job pack is made of. The names of keys in job dicts are those of Disco, whose masters read them as well. */
import type { Grouping } from "../../core/job/spec.ts";

/** A file for the job home: its contents, or a file of this machine. Without `mode` the worker is executable, and so is what is it here. */
export type HomeFileSource =
  | string
  | Uint8Array
  | { readonly contents: string | Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly mode?: number };

/** Files by their paths in the job home, or a folder of this machine, of which all are taken. */
export type JobHomeSource = string | Readonly<Record<string, HomeFileSource>> | ReadonlyMap<string, HomeFileSource>;

interface PackContents {
  /** Environment of the worker. Default: none. */
  readonly jobenvs?: Readonly<Record<string, string>>;
  /** Files of the directory that the worker runs in: the worker, and what it needs. At most 20,000, and 1 GiB. */
  readonly jobhome?: JobHomeSource;
  /** For the worker alone, which finds it in the job pack. Default: nothing. */
  readonly jobdata?: string | Uint8Array;
}

export type JobPackContents =
  | (PackContents & { readonly version?: 2; readonly jobdict: PipelineJobDict })
  | (PackContents & { readonly version: 1; readonly jobdict: ClassicJobDict });

interface AnyPackedDict {
  /** Beginning of the job's name, without `/` and `.`. */
  readonly prefix: string;
  /** Default: `user@host`. */
  readonly owner?: string;
  /** Path of the worker's executable in the job home. */
  readonly worker: string;
  readonly scheduler?: {
    /** Tasks of the job that may run at once. Default: any number. */
    readonly max_cores?: number;
    /** Only on nodes that hold the task's input. */
    readonly force_local?: boolean;
    /** Never on nodes that hold the task's input. */
    readonly force_remote?: boolean;
  };
  /** The results become the tag `disco:results:JOB`. */
  readonly save_results?: boolean;
  readonly save_info?: string;
}

/** A job dict of version 2. Masters leave other keys alone. */
export interface PipelineJobDict extends AnyPackedDict {
  /** The stages in order; names are unique. A concurrent one begins while the stage before it still runs. */
  readonly pipeline: readonly (readonly [stage: string, grouping: Grouping, concurrent: boolean])[];
  /** `size` in bytes, 0 when it is not known. */
  readonly inputs: readonly (readonly [label: number, size: number, replicas: readonly string[]])[];
  readonly [key: string]: unknown;
}

/** A job dict of version 1: the pipeline follows from what it has. Masters leave other keys alone. */
export interface ClassicJobDict extends AnyPackedDict {
  /** Addresses; of an input with replicas a list. */
  readonly input: readonly (string | readonly string[])[];
  /** 1: one reduce of everything, else one a label. */
  readonly nr_reduces: number | string;
  /** Stages `map` and `map_shuffle`. */
  readonly "map?"?: boolean;
  /** Stage `reduce`. */
  readonly "reduce?"?: boolean;
  /** Stage `reduce_shuffle`. */
  readonly "reduce_shuffle?"?: boolean;
  readonly [key: string]: unknown;
}
