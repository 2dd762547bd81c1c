/** Job packs of workers that are programs, as Disco's own clients make them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeJobPack } from "../../src/protocol/jobpack.ts";

export interface ProgramPackOptions {
  /** Default 2. */
  readonly version?: 1 | 2;
  /** Default: `words`. */
  readonly prefix?: string;
  /** An address, or the addresses of replicas. */
  readonly inputs: readonly (string | readonly string[])[];
  /** Of version 2. Default: map by `split`, then reduce by `group_label`. */
  readonly pipeline?: readonly (readonly [stage: string, grouping: string, concurrent: boolean])[];
  /** Of version 2: the labels of the inputs. Default: 0. */
  readonly labels?: readonly number[];
  /** Of version 1: tasks of reduce. Default 1. Of both: into how many labels map divides. */
  readonly partitions?: number;
  /** The program that is the worker. Default: the word count in Python. */
  readonly worker?: { readonly name: string; readonly contents: string | Uint8Array };
  /** Further files of the job home, without folders. */
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly jobenvs?: Readonly<Record<string, string>>;
  /** JSON for the worker, besides the partitions. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Further keys of the job dict: `save_results`, `reduce_shuffle?`, … */
  readonly jobdict?: Readonly<Record<string, unknown>>;
}

/** The word count of `examples/workers`, in Python 3 and its standard library. */
export const pythonWorker = {
  name: "word_count.py",
  contents: readFileSync(join(import.meta.dirname, "..", "..", "examples", "workers", "word_count.py")),
};

export function programPack(options: ProgramPackOptions): Uint8Array {
  const { version = 2, prefix = "words", inputs, partitions = 1, worker = pythonWorker } = options;
  const jobdict = {
    prefix,
    owner: "test@wire",
    worker: worker.name,
    save_results: false,
    scheduler: {},
    ...(version === 1 ? classic(options) : pipelined(options)),
    ...options.jobdict,
  };
  return encodeJobPack({
    version,
    jobdict,
    jobenvs: options.jobenvs ?? {},
    files: { [worker.name]: Buffer.from(worker.contents as Uint8Array), ...options.files },
    jobdata: Buffer.from(JSON.stringify({ partitions, inputs: inputs.length, ...options.params })),
  });
}

function classic({ inputs, partitions = 1 }: ProgramPackOptions): Record<string, unknown> {
  return { input: inputs, nr_reduces: partitions, "map?": true, "reduce?": true };
}

function pipelined({ inputs, labels, pipeline }: ProgramPackOptions): Record<string, unknown> {
  return {
    pipeline: pipeline ?? [
      ["map", "split", false],
      ["reduce", "group_label", false],
    ],
    inputs: inputs.map((input, i) => [labels?.[i] ?? 0, 0, typeof input === "string" ? [input] : input]),
  };
}
