/**
 * Map stages whose map is built in (`fn/line-maps.ts`): bytes go into a kernel, and no line, no list and no pair is made on the way.
 *
 * The kernels are used where nobody can tell: over the reader of lines that is the default, which is then replaced by one of blocks;
 * and where an input has one replica only, because where one breaks off the next goes on after so many *records*. Everything else
 * (other readers, `mapInit`, several replicas) runs the same functions in the ordinary loop.
 */
import type { InputSpec } from "../../core/job/spec.ts";
import type { EmitPlan, Emitter, PairWriter } from "../emit.ts";
import { PlacedWriter } from "../key-place.ts";
import { type OwnRecipe, ownRecipe } from "../own.ts";
import type { Progress } from "../progress.ts";
import { nextRecords } from "../streams/batches.ts";
import { Counter } from "../streams/counted.ts";
import type { NamedInputStream } from "../streams/input-chain.ts";
import { isIterable, type Stream } from "../streams/stream.ts";
import { type BlockScan, blockScan } from "./block-scan.ts";
import { textBlockReader } from "./text-blocks.ts";
import { CountSink, PairSink, type TextSink } from "./text-sink.ts";

export interface VectorStage {
  readonly map: unknown;
  readonly hasInit: boolean;
  /** The chain of input streams as the job has it. Empty: lines. */
  readonly chain: readonly NamedInputStream[];
  readonly inputs: readonly InputSpec[];
}

export interface VectorMap {
  /** The chain to read instead. */
  readonly chain: readonly NamedInputStream[];
  readonly scan: BlockScan;
}

/** `null`: the ordinary loop runs this stage. */
export function vectorMap({ map, hasInit, chain, inputs }: VectorStage): VectorMap | null {
  const recipe = ownRecipe(map);
  if (recipe === undefined || hasInit || inputs.some(({ replicas }) => replicas.length !== 1)) return null;
  if (chain.length > 0 && ownRecipe(chain.at(-1)?.fn)?.name !== "mapLineReader") return null;
  const scan = blockScan(recipe);
  if (scan === null) return null;
  const reader = { name: "mapLineReader", fn: textBlockReader as unknown as NamedInputStream["fn"] };
  return { chain: [...chain.slice(0, -1), reader], scan };
}

export interface VectorRun {
  readonly scan: BlockScan;
  readonly plan: EmitPlan;
  readonly emitter: Emitter;
  readonly output: PairWriter;
  readonly progress: Progress;
  /** Called between blocks, where the task may empty its buffers. */
  readonly onBatch: () => void;
}

/** Runs the map over blocks of text; a promise only where the stream is asynchronous. */
export function runVectorMap(stream: Stream<unknown>, run: VectorRun): Promise<void> | undefined {
  const sink = sinkOf(run);
  const counter = new Counter(run.progress);
  const take = (block: Uint8Array): void => {
    const lines = run.scan(block, sink);
    counter.add(block[block.length - 1] === newline ? lines : lines + 1);
    run.onBatch();
  };
  if (!isIterable(stream)) return takeAsync(stream as AsyncIterable<Uint8Array>, take, sink);
  const iterator = stream[Symbol.iterator]();
  for (let blocks = nextRecords(iterator); blocks !== null; blocks = nextRecords(iterator)) {
    for (const block of blocks) take(block as Uint8Array);
  }
  sink.finish();
  return undefined;
}

async function takeAsync(
  stream: AsyncIterable<Uint8Array>,
  take: (block: Uint8Array) => void,
  sink: TextSink,
): Promise<void> {
  for await (const block of stream) take(block);
  sink.finish();
}

const newline = 10;

function sinkOf({ plan, emitter, output }: VectorRun): TextSink {
  const recipe = ownRecipe(plan.combiner);
  if (plan.combiner === null || recipe?.name === "identity") {
    return new PairSink({ kind: "writer", writer: new PlacedWriter(plan, output) }, plan.budgetBytes);
  }
  if (recipe === undefined || !isFold(recipe)) {
    return new PairSink({ kind: "emit", emit: emitter.emit }, plan.budgetBytes);
  }
  const counts = recipe.name === "sum" || recipe.name === "count";
  return new CountSink(new PlacedWriter(plan, output), counts, plan.budgetBytes);
}

/** Folds that make of many ones either their number or a one. */
function isFold({ name }: OwnRecipe): boolean {
  return ["sum", "count", "min", "max", "first", "last", "distinct"].includes(name);
}
