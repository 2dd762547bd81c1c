/**
 * What a task reads, as one stream: job inputs through their readers, or outputs of the stage before, sorted where the job asks
 * for it.
 *
 * Outputs of a stage are blocks of records. They are read as such; only where the user chose readers for them (or wrote them
 * in a format of their own) their bytes go through the chain, one task's output after the other.
 */
import { parseBlobAddress } from "../core/ddfs/names.ts";
import type { InputSpec } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import { openBlobReplicas } from "../schemes/blob-replicas.ts";
import { openUrl, schemeOf } from "../schemes/open.ts";
import type { ByteSource, SchemeContext } from "../schemes/scheme.ts";
import { sized } from "../schemes/sized.ts";
import { ownRecipe } from "./own.ts";
import type { Progress } from "./progress.ts";
import { openStage, type StageSource } from "./stage-input.ts";
import { mergeSorted } from "./storage/merge-sorted.ts";
import { sortRecords, sortRecordsAsync } from "./storage/record-sorter.ts";
import { concat, type OpenStreamFn } from "./streams/concat.ts";
import { countBytes, countText, TextCount } from "./streams/counted.ts";
import { type NamedInputStream, openChain } from "./streams/input-chain.ts";
import { openReplicas } from "./streams/replicas.ts";
import { isIterable, type Stream } from "./streams/stream.ts";

export interface InputPlan {
  /** Empty: `defaultReader`. */
  readonly chain: readonly NamedInputStream[];
  readonly defaultReader: NamedInputStream;
  readonly sort: boolean | "merge";
  readonly params: unknown;
  /** Memory for sorting and merging, in bytes. */
  readonly budgetBytes: number;
  /** Of a record that is sorted here. */
  readonly recordBytesMax: number;
  readonly scratchDir: string;
}

export interface OpenedInput {
  readonly stream: Stream<unknown>;
  /** Lets go of files. */
  close(): void;
}

/** Job inputs, in order, each by the first of its replicas that works. */
export async function openInputs(
  inputs: readonly InputSpec[],
  plan: InputPlan,
  context: SchemeContext,
  progress: Progress,
): Promise<OpenedInput> {
  const chain = plan.chain.length > 0 ? plan.chain : [plan.defaultReader];
  const openers = inputs.map((input): OpenStreamFn => {
    const text = new TextCount(progress);
    const counted = countingChain(chain, text);
    const open = (url: string): Stream<unknown> => {
      progress.url = url;
      text.restart();
      return openChain(countBytes(openInput(url, input, context), progress), counted, plan.params);
    };
    const replicas = nearestFirst(input, context.host);
    // Replicas of a blob have the same bytes, so that one goes on where another failed; of anything else, the same records.
    const isBlob = replicas.length > 1 && replicas.every((url) => parseBlobAddress(url) !== null);
    if (!isBlob) return () => openReplicas(replicas, open);
    return () => {
      const source = openBlobReplicas(replicas, context, openUrl);
      progress.url = source.url;
      text.restart();
      return openChain(countBytes(source, progress), counted, plan.params);
    };
  });
  const names = inputs.map((input) => input.replicas[0] ?? "");
  return { stream: await arrange(openers, names, plan, progress), close: () => {} };
}

/** Results of jobs have a size of their own and never change; the size of anything else may be a guess, or the last known one. */
function openInput(url: string, { replicas, size }: InputSpec, context: SchemeContext): ByteSource {
  const isResult = size > 0 && replicas.every((each) => schemeOf(each) === "disco");
  return isResult ? sized(openUrl(url, { ...context, size }), size) : openUrl(url, context);
}

/** Outputs of the stage before. */
export async function openStageInput(source: StageSource, plan: InputPlan, progress: Progress): Promise<OpenedInput> {
  const stage = openStage(source, progress);
  try {
    if (!source.isFormatted && isNative(plan.chain)) {
      if (plan.sort !== "merge") return { stream: stage.records(plan), close: () => stage.close() };
      return { stream: await arrange(stage.recordsOfEach(), stage.names, plan, progress), close: () => stage.close() };
    }
    const chain = plan.chain.length > 0 ? plan.chain : [plan.defaultReader];
    const counted = countingChain(chain, new TextCount(progress));
    const openers = stage.bytesOfEach().map(
      (bytes): OpenStreamFn =>
        () =>
          openChain(bytes, counted, plan.params),
    );
    return { stream: await arrange(openers, stage.names, plan, progress), close: () => stage.close() };
  } catch (error) {
    stage.close();
    throw error;
  }
}

const inflaters: ReadonlySet<string | undefined> = new Set(["gzipReader", "inflatingReader", "zstdReader"]);

/** Counts what comes out of the last decompressor, or all bytes where there is none: what the readers behind it make slices of. */
function countingChain(chain: readonly NamedInputStream[], text: TextCount): NamedInputStream[] {
  const last = chain.findLastIndex(({ fn }) => inflaters.has(ownRecipe(fn)?.name));
  return chain.toSpliced(last + 1, 0, {
    name: "countText",
    fn: (stream) => countText(stream as Stream<Uint8Array>, text),
  });
}

/** No reader, or the one that reads what we write. */
function isNative(chain: readonly NamedInputStream[]): boolean {
  return chain.every(({ fn }) => ownRecipe(fn)?.name === "chainReader") && chain.length <= 1;
}

/** One after the other, or sorted, or merged. */
async function arrange(
  openers: readonly OpenStreamFn[],
  names: readonly string[],
  plan: InputPlan,
  progress: Progress,
): Promise<Stream<unknown>> {
  if (plan.sort === "merge") {
    const inputs = openers.map((open, i) => ({ url: names[i] ?? "", pairs: synchronous(open()) }));
    return mergeSorted(inputs);
  }
  const stream = concat(openers);
  if (!plan.sort) return stream;
  const options = { ...plan, textBytes: () => progress.textBytes };
  const sorted = isIterable(stream)
    ? sortRecords(stream as Iterable<[unknown, unknown]>, options)
    : await sortRecordsAsync(stream as AsyncIterable<[unknown, unknown]>, options);
  // All inputs have been read: what fails from here on is the fault of none.
  progress.url = null;
  return sorted;
}

function synchronous(stream: Stream<unknown>): Iterable<[unknown, unknown]> {
  if (isIterable(stream)) return stream as Iterable<[unknown, unknown]>;
  throw new DiscoError('sort: "merge" needs synchronous readers', {
    code: "bad-option",
    hint: "Use sort: true, which also takes async readers.",
  });
}

/** Replicas on this node before those elsewhere. */
function nearestFirst(input: InputSpec, host: string | undefined): readonly string[] {
  const near = input.replicas.filter((_, i) => input.hosts[i] === host && host !== undefined);
  if (near.length === 0 || near.length === input.replicas.length) return input.replicas;
  return [...near, ...input.replicas.filter((url) => !near.includes(url))];
}
