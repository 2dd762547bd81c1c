/**
 * The opaque part of our job packs: what a TypeScript worker needs beyond the `JobSpec`. It is encoded with the value
 * codec (`protocol/value.ts`), so it may hold anything that a record may hold.
 */
import type { Grouping } from "../core/job/spec.ts";

/** Names a function in `JobData.code`. */
export type FnRef = number;

/** One function that a job takes along. */
export type ShippedFn =
  /** An export of one of the shipped modules. */
  | {
      readonly kind: "export";
      readonly module: number;
      readonly name: string;
      readonly display: string;
      /** A generator that was made a function, and now calls what it is given through this export (`shipping/direct-yields.ts`). */
      readonly emitter?: string;
    }
  /** One of Disco's own functions, found by name in the worker: `chainReader`, or `reReader` with its arguments. */
  | { readonly kind: "own"; readonly name: string; readonly args?: readonly unknown[] };

export interface ShippedModule {
  /** The URL under which the worker loads it: the user's file with `?disco=<hash>`, so that stacks show the user's path. */
  readonly url: string;
  readonly format: "module" | "commonjs";
  /** JavaScript. Positions are those of the user's file, except for what `sourceMap` or `insertions` says. */
  readonly source: string;
  readonly sourceMap?: string;
  /** Text that was inserted into lines of the user's source, to correct columns: 1-based line, 0-based column, length. */
  readonly insertions: readonly (readonly [line: number, column: number, length: number])[];
  /** A bundle: what its `sourceMap` calls a source may be a slice, whose positions need these to become the user's. */
  readonly parts?: readonly ShippedPart[];
}

/** One slice inside of a bundle. */
export interface ShippedPart {
  /** As the bundle's source map names it. */
  readonly name: string;
  /** `file:` URL of the user's file. */
  readonly url: string;
  readonly sourceMap?: string;
  readonly insertions: readonly (readonly [line: number, column: number, length: number])[];
}

export interface ShippedCode {
  /** `true`: needs nothing but this software on the node. `false`: imports the submitter's files where they lie. */
  readonly portable: boolean;
  readonly modules: readonly ShippedModule[];
  readonly fns: readonly ShippedFn[];
  /** Present values of module-level variables, each an encoded record; modules ask for them by key. */
  readonly values?: readonly { readonly key: string; readonly bytes: Uint8Array }[];
}

/** How a worker sees keys or values that an external program writes: as strings, or as they are. */
export type ExternalForm = "text" | "bytes";

/** The external program that is a stage's function (`docs/external.md`). */
export interface ExternalPlan {
  /** Its file, in the task's working directory. */
  readonly program: string;
  /** What it reads before the first record. */
  readonly params: Uint8Array;
  readonly keys: ExternalForm;
  readonly values: ExternalForm;
}

/** How one stage runs in a worker. The flat options of a job (`map`, `reduce` …) become two of these. */
export interface StagePlan {
  readonly name: string;
  readonly grouping: Grouping;
  /** `map`: the function sees one entry at a time. `reduce`: it sees an iterator over all of a task's records. */
  readonly kind: "map" | "reduce";
  readonly fn: FnRef;
  /** The function is a program: `fn` stands for it, and is not called. Default: it is a function. */
  readonly external?: ExternalPlan;
  readonly init: FnRef | null;
  /** Chained in order; each gets the stream of the one before. Empty: the default reader of the kind of stage. */
  readonly inputStream: readonly FnRef[];
  readonly outputStream: readonly FnRef[];
  /** Deprecated writers: called `(fd, key, value, params)` for each record. */
  readonly writer: FnRef | null;
  readonly combiner: FnRef | null;
  /** The combiner asks its buffer only for the key that it was called with (`shipping/key-buffer.ts`). Default: not known to. */
  readonly combinerByKey?: boolean;
  readonly partition: FnRef | null;
  /** `null`: no partitioning, all of a task's output has the task's own label. */
  readonly partitions: number | null;
  /** How this stage's input comes: unsorted, sorted by Disco, or sorted already and only merged. */
  readonly sort: boolean | "merge";
  /** The next stage wants sorted input: write sorted runs. */
  readonly sortOutput: boolean;
  /** The last stage: write an index of result files. */
  readonly final: boolean;
  /** Calls of an async map that may be in flight in one task. */
  readonly concurrency: number;
}

export interface JobData {
  readonly version: 1;
  readonly code: ShippedCode;
  readonly stages: readonly StagePlan[];
  /** Encoded with `onFunction` of `protocol/value.ts`: functions inside are `FnRef`s. */
  readonly params: Uint8Array;
  /** Every so many records an event "N items mapped"; 0: none. Seed: `status_interval`, 100,000. */
  readonly statusInterval: number;
  /** Salts the default partitioner and seeds `task.random`. */
  readonly seed: number;
  readonly memoryLimitBytes: number;
  /** Modules to import in the worker before the job's functions (`requiredModules`): specifiers or absolute URLs. */
  readonly requiredModules: readonly string[];
  /** Each task records a CPU profile of itself and puts it out-of-band. Default: none. */
  readonly profile?: boolean;
  /** argv of the submitting process, so that module-level constants derived from it agree. */
  readonly argv: readonly string[];
}
