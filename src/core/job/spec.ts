/**
 * What the master has to know about a job in order to run it. Functions, params and readers are not here: they travel in
 * the job pack's opaque part (`protocol/job-data.ts`), which only workers read.
 */

/** How the outputs of one stage become the inputs of the tasks of the next (Disco 0.5, `pipeline_utils.erl`). */
export type Grouping =
  /** Every output (one label of one task) is a task of its own. */
  | "split"
  /** One task a label, over all nodes: the classic reduce. */
  | "group_label"
  /** One task a node, over all labels. */
  | "group_node"
  /** One task for each label on each node. */
  | "group_node_label"
  /** One task for everything. */
  | "group_all";

export const groupings: readonly Grouping[] = ["split", "group_label", "group_node", "group_node_label", "group_all"];

/** The partition number an output belongs to; job inputs carry one as well (0 unless they come from a `dir://` index). */
export type Label = number;

export interface InputSpec {
  readonly label: Label;
  /** Bytes, when known; 0 otherwise. Only for progress and for placing tasks. */
  readonly size: number;
  /** Addresses with the same contents, at least one. */
  readonly replicas: readonly string[];
  /** Node names that hold the data, parallel to `replicas`; `null` where it is nobody's (http, raw). */
  readonly hosts: readonly (string | null)[];
  /** The address is of a `dir://` index, and the task reads every label in it. Only for workers that jobs bring along. */
  readonly everyLabel?: true;
}

export interface StageSpec {
  readonly name: string;
  readonly grouping: Grouping;
  /** Its tasks may begin before the stage before has ended, and get their inputs as these are made (Disco 0.5). */
  readonly concurrent?: true;
}

/** A worker that the job brings along: a program in its job home that speaks Disco's worker protocol. */
export interface ForeignWorker {
  /** Path of the executable in the job home, with `/`. */
  readonly path: string;
  /** Of the job pack. */
  readonly packVersion: 1 | 2;
}

export interface SchedulerSpec {
  /** Tasks of this job that may run at once. Seed: `max_cores`, 2**31 by default. */
  readonly maxCores: number;
  /** Only on a node that holds the task's input. */
  readonly forceLocal: boolean;
  /** Never on a node that holds the task's input. */
  readonly forceRemote: boolean;
}

export interface JobSpec {
  /** `[a-zA-Z0-9_]+`, at most 100 characters. The master appends a suffix that makes the name unique. */
  readonly prefix: string;
  readonly owner: string;
  readonly inputs: readonly InputSpec[];
  readonly pipeline: readonly StageSpec[];
  readonly scheduler: SchedulerSpec;
  /** How many times a failed task is tried again before the job dies. */
  readonly retries: number;
  /** A task that has made no progress for so long is killed; `null`: never. */
  readonly taskTimeoutMs: number | null;
  /** Memory of one worker process, in bytes. */
  readonly memoryLimitBytes: number;
  /** Node labels that a node must carry to run this job's tasks. */
  readonly labels: Readonly<Record<string, string>>;
  /** Keep intermediate files after the job has ended. */
  readonly keep: boolean;
  /** Absent: its tasks run in workers of this package. */
  readonly worker?: ForeignWorker;
  /** What is kept in DDFS before the job is ready: its results, out-of-band values if there are any. Absent: nothing. */
  readonly save?: { readonly results: boolean; readonly oob: boolean };
}

/** Where one attempt put its output. The bytes are immutable once reported; `digest` identifies them. */
export interface OutputRef {
  readonly host: string;
  /** Path of the file, relative to the node's data directory. */
  readonly file: string;
  /** Where in `file` the output's directory lies (`protocol/output-directory.ts`): offset and length in bytes. */
  readonly at: number;
  readonly length: number;
  /** Hash of the attempt's records: two attempts with the same digest wrote the same records for each label. */
  readonly digest: string;
}

/** Size of what a task wrote for one label. */
export interface LabelSize {
  readonly label: Label;
  readonly bytes: number;
  readonly records: number;
}

/** The result of a successful attempt. */
export interface TaskOutput {
  readonly ref: OutputRef;
  readonly labels: readonly LabelSize[];
  /** The `dir://` address of the index over this task's output files: of the final stage, or of any if the worker is the job's own. */
  readonly index?: string;
  /** Out-of-band values the attempt put. */
  readonly oob?: readonly OobRef[];
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  /** Peak resident memory of the worker process when the attempt ended, in bytes. */
  readonly peakRss: number;
}

export interface OobRef {
  readonly key: string;
  readonly file: string;
  readonly size: number;
}

/** What one task reads. */
export type TaskInput =
  /** Job inputs, in order. */
  | { readonly kind: "inputs"; readonly inputs: readonly InputSpec[] }
  /** Outputs of the stage before, restricted by whichever of the three is given. Tasks are read in ascending order. */
  | {
      readonly kind: "stage";
      readonly stage: number;
      /** Which version of the outputs: it rises whenever a lost one was made again, as that lies elsewhere, the same or not. */
      readonly version: number;
      readonly label?: Label;
      readonly host?: string;
      readonly task?: number;
      /**
       * The stage before had not ended: what is there, and what comes, is to be asked for (`ManifestPart`). With `task`, that one output
       * is there or will be.
       */
      readonly open?: true;
    };

/** A stage's outputs, for those who read them: one entry a task, ascending. */
export interface StageManifest {
  readonly stage: number;
  readonly version: number;
  readonly outputs: readonly {
    readonly task: number;
    readonly ref: OutputRef;
    /** Of jobs whose workers are their own, for which an output is an index: the labels in it. */
    readonly labels?: readonly Label[];
  }[];
  /** The stage has not ended: others come. Absent: these are all. */
  readonly open?: true;
}

/** How much of a stage's outputs has been told of. The same log as long as one master leads and the stage is not planned anew. */
export interface ManifestMark {
  readonly log: string;
  readonly at: number;
}

/** What has come of a stage since a mark; in the order in which it came. */
export interface ManifestPart extends StageManifest {
  /** To ask from next time. */
  readonly mark: ManifestMark;
}

export type JobStatus = "active" | "ready" | "dead";
