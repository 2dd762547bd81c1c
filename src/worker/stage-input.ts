/** Outputs of an earlier stage: as records, or as the bytes that users' readers see. */
import { readFileSync, readSync } from "node:fs";
import type { TaskInput } from "../core/job/spec.ts";
import { DataError } from "../errors.ts";
import { decodeManifest, type FetchedManifest } from "../protocol/manifest-file.ts";
import type { Progress } from "./progress.ts";
import { type Batch, type BatchSource, Records } from "./storage/batch.ts";
import { LostOutput, type TaskOutputRef } from "./storage/lost-output.ts";
import { MergedRecords } from "./storage/merged-records.ts";
import { openOutputs } from "./storage/outputs.ts";
import { sortRecords } from "./storage/record-sorter.ts";
import { OpenFiles, type Run } from "./storage/run.ts";
import { UnsortedRecords } from "./storage/unsorted-records.ts";
import type { OpenStreamFn } from "./streams/concat.ts";
import type { ChainSource } from "./streams/input-chain.ts";

export interface StageSource {
  readonly input: Extract<TaskInput, { kind: "stage" }>;
  /** Absolute path of the manifest (`protocol/manifest-file.ts`). */
  readonly manifestFile: string;
  readonly dataDir: string;
  /** The stage wrote a user's format: each record's value is a chunk of its bytes. */
  readonly isFormatted: boolean;
  /** Used as address in messages. */
  readonly stageName: string;
}

export interface SortPlan {
  readonly sort: boolean | "merge";
  readonly budgetBytes: number;
  readonly scratchDir: string;
}

export interface StageInput {
  /** Of each output, in order. */
  readonly names: readonly string[];
  /** All records, sorted if the plan says so. */
  records(plan: SortPlan): Records;
  recordsOfEach(): OpenStreamFn[];
  bytesOfEach(): (ChainSource & Iterable<Uint8Array>)[];
  close(): void;
}

const readBytes = 256 * 1024;

/** Throws `LostOutput` when an output is gone or damaged. */
export function openStage(source: StageSource, progress: Progress): StageInput {
  const outputs = selectOutputs(source);
  const files = new OpenFiles();
  const { label } = source.input;
  const open = (refs: readonly TaskOutputRef[]): Run[] => {
    const runs = openOutputs(refs, { dataDir: source.dataDir, files, ...(label === undefined ? {} : { label }) });
    for (const run of runs) progress.bytesIn += run.length;
    return runs;
  };
  const names = outputs.map(({ task }) => `${source.stageName}:${task}`);
  return {
    names,
    records(plan) {
      const runs = open(outputs);
      if (plan.sort !== true) return new Records(new UnsortedRecords(runs));
      if (runs.every((run) => run.sorted)) return new Records(new MergedRecords(runs, plan));
      return sortRecords(new Records(new UnsortedRecords(runs)), plan);
    },
    recordsOfEach: () => outputs.map((output) => () => new Records(new UnsortedRecords(open([output])))),
    bytesOfEach: () =>
      outputs.map((output, i) => {
        const runs = open([output]);
        const size = runs.reduce((sum, run) => sum + run.length, 0);
        const bytes = source.isFormatted ? new FormattedBytes(runs) : { [Symbol.iterator]: () => runBytes(runs) };
        return { url: names[i] ?? "", size, [Symbol.iterator]: () => bytes[Symbol.iterator]() };
      }),
    close: () => files.close(),
  };
}

function selectOutputs({ input, manifestFile }: StageSource): TaskOutputRef[] {
  let manifest: FetchedManifest;
  try {
    manifest = decodeManifest(readFileSync(manifestFile, "utf8"));
  } catch (error) {
    throw new DataError(`the list of outputs of stage ${input.stage} cannot be read: ${(error as Error).message}`, {
      code: "bad-manifest",
      retry: "here",
      cause: error,
    });
  }
  return manifest.outputs
    .filter(
      ({ task, ref }) =>
        (input.task === undefined || task === input.task) && (input.host === undefined || ref.host === input.host),
    )
    .sort((a, b) => a.task - b.task);
}

/** The bytes of a user's format: kept as the values of records. */
class FormattedBytes implements Iterable<Uint8Array> {
  readonly #runs: readonly Run[];

  constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  *[Symbol.iterator](): Generator<Uint8Array, undefined, undefined> {
    const source: BatchSource = new UnsortedRecords(this.#runs);
    for (let batch: Batch | null = source.nextBatch(); batch !== null; batch = source.nextBatch()) {
      for (let i = 0; i < batch.n; i++) yield batch.values[i] as Uint8Array;
    }
    return undefined;
  }
}

/** The bytes of our own blocks, for chains that begin with `chainReader`. */
function* runBytes(runs: readonly Run[]): Generator<Uint8Array, undefined, undefined> {
  for (const run of runs) {
    for (let at = 0; at < run.length; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(readBytes, run.length - at));
      let length: number;
      try {
        length = readSync(run.files.open(run.file), chunk, 0, chunk.length, run.offset + at);
        if (length === 0) throw new DataError(`${run.file} ends early`, { code: "bad-block" });
      } catch (error) {
        throw run.origin === null ? error : new LostOutput(run.origin, error);
      }
      yield chunk.subarray(0, length);
      at += length;
    }
  }
}
