/** One task from its inputs to its committed output: composes reading, the user's function, partitioning and writing. */
import type { TaskOutput } from "../core/job/spec.ts";
import { DiscoError } from "../errors.ts";
import type { StagePlan } from "../protocol/job-data.ts";
import type { WorkerTask } from "../protocol/messages.ts";
import { type BoundJob, fileName, type UserFunction } from "./bound-job.ts";
import type { CombinerFn } from "./combine.ts";
import { type EmitPlan, makeEmitter, type PartitionFn } from "./emit.ts";
import { reduceFold, runFoldReduce } from "./fold/fold-reduce.ts";
import { initInput, iterateOnce } from "./init-input.ts";
import { mapAll, mapAsync } from "./map-loop.ts";
import { memoryShares } from "./memory-shares.ts";
import { OobValues, profileKey } from "./oob.ts";
import { ownRecipe } from "./own.ts";
import { peakRss } from "./peak-rss.ts";
import type { TaskProfile } from "./profile/task-profile.ts";
import { Progress, type ProgressSink } from "./progress.ts";
import { seededRandom } from "./random.ts";
import { reduceAll } from "./reduce-loop.ts";
import { StageFunctions } from "./stage-functions.ts";
import { Records } from "./storage/batch.ts";
import { recordBytesMax } from "./storage/record-limit.ts";
import { chainReader } from "./streams/chain.ts";
import { countAsync, countBlocks, countRecords } from "./streams/counted.ts";
import { leaveStream } from "./streams/leave.ts";
import { mapLineReader } from "./streams/lines.ts";
import type { OutputFormat } from "./streams/output-chain.ts";
import { isIterable, type Stream } from "./streams/stream.ts";
import { type InputPlan, type OpenedInput, openInputs, openStageInput } from "./task-input.ts";
import { finalOutput, intermediateOutput, type OutputPlan, type TaskOutputWriter } from "./task-output.ts";
import { setTask } from "./task-state.ts";
import type { runVectorMap, VectorMap } from "./vector/vector-map.ts";

/**
 * A string that is a slice of a line keeps the text of its whole chunk alive. Where few records come of much input, what waits
 * in buffers would so hold the input itself: it is written each time this share of the limit has been read.
 */
const pinnedShare = 1 / 8;

export interface TaskHost extends ProgressSink {
  readonly beat: Int32Array;
}

/** Runs one attempt. Whatever it throws is the attempt's failure; what it wrote is then taken back. */
export async function runTask(job: BoundJob, task: WorkerTask, host: TaskHost): Promise<TaskOutput> {
  job.currentUrl = null;
  const plan = job.stage(task.stage);
  const profile = job.data.profile === true ? await beginProfile(host) : null;
  const progress = new Progress(host.beat, watched(host, profile), job.data.statusInterval, plan.kind);
  const oob = openOob(job, task, plan);
  setTask(taskState(job, task, plan, oob));
  let input: OpenedInput | null = null;
  let stream: Stream<unknown> | null = null;
  let output: TaskOutputWriter | null = null;
  try {
    const code = await job.load();
    profile?.loaded(code);
    const params = job.params(code);
    const functions = new StageFunctions(plan, code);
    const vector = await openVector(task, plan, functions);
    input = await openInput(job, task, plan, functions, params, progress, vector);
    output = openOutput(job, task, plan, functions, params);
    stream = iterateOnce(input.stream);
    await run(job, task, plan, functions, params, stream, output, progress, vector);
    const finished = output.finish();
    output = null;
    if (profile !== null) {
      const info = { stage: plan.name, task: task.task, host: job.binding.host };
      oob.putProfile(profileKey(plan.name, task.task), profile.finish(info));
    }
    const recordsOut = finished.labels.reduce((sum, label) => sum + label.records, 0);
    const { recordsIn, bytesIn } = progress;
    const refs = oob.refs;
    return {
      ...finished,
      ...(refs.length === 0 ? {} : { oob: refs }),
      recordsIn,
      recordsOut,
      bytesIn,
      peakRss: peakRss(),
    };
  } catch (error) {
    job.currentUrl = progress.url;
    job.renewCode();
    abort(output);
    throw error;
  } finally {
    if (stream !== null) leaveStream(stream);
    input?.close();
    profile?.stop();
    setTask(null);
  }
}

/** A job is worth more than its profile: where V8 has no profiler, there is none. */
async function beginProfile(host: TaskHost): Promise<TaskProfile | null> {
  try {
    const { TaskProfile } = await import("./profile/task-profile.ts");
    return new TaskProfile();
  } catch (error) {
    host.status(`no CPU profile of this task: ${String(error)}`);
    return null;
  }
}

function watched(host: TaskHost, profile: TaskProfile | null): ProgressSink {
  if (profile === null) return host;
  return {
    progress: (progress) => {
      host.progress(progress);
      profile.beat();
    },
    status: (text) => host.status(text),
  };
}

async function run(
  job: BoundJob,
  task: WorkerTask,
  plan: StagePlan,
  functions: StageFunctions,
  params: unknown,
  stream: Stream<unknown>,
  output: TaskOutputWriter,
  progress: Progress,
  vector: Vector | null,
): Promise<void> {
  const shares = memoryShares(job.data.memoryLimitBytes);
  const emitPlan: EmitPlan = {
    partitions: plan.partitions,
    label: labelOf(task),
    partition: functions.optional<PartitionFn>(plan.partition),
    combiner: functions.optional<CombinerFn>(plan.combiner),
    combinerByKey: plan.combinerByKey ?? false,
    seed: job.data.seed,
    params,
    budgetBytes: shares.combinerBytes,
  };
  const emitter = makeEmitter(emitPlan, output);
  const { emit, flush } = emitter;
  const spill = (): void => {
    flush();
    output.spill();
  };
  const pinnedBytesMax = job.data.memoryLimitBytes * pinnedShare;
  const fn = functions.get(plan.fn);
  const name = functions.name(plan.fn, plan.kind);
  const init = functions.optional<UserFunction>(plan.init);
  let spilledAt = 0;
  const onBatch = (): void => {
    if (progress.textBytes - spilledAt < pinnedBytesMax) return;
    spilledAt = progress.textBytes;
    spill();
  };
  const { external } = plan;
  if (external !== undefined) {
    const { runExternal } = await import("./external/run-external.ts");
    const entries = plan.kind === "map" ? stream : counted(stream, progress);
    if (init !== null) await init(initInput(entries), params);
    await runExternal(entries, {
      plan: external,
      kind: plan.kind,
      directory: job.binding.workDir,
      emit,
      spill,
      spillBytes: pinnedBytesMax,
      progress,
      // As if a function of the job had printed it: captured, limited and shown in the same way.
      print: (level, line) => process[level === "message" ? "stdout" : "stderr"].write(`${line}\n`),
      recordBytesMax: recordBytesMax(job.data.memoryLimitBytes),
      memoryLimitBytes: job.data.memoryLimitBytes,
    });
  } else if (vector !== null) {
    const vectorRun = { scan: vector.map.scan, plan: emitPlan, emitter, output, progress, onBatch };
    const done = vector.run(stream, vectorRun);
    if (done !== undefined) await done;
  } else if (plan.kind === "map") {
    const setEmitter = functions.emitter(plan.fn);
    const concurrency = Math.max(1, plan.concurrency);
    const mapRun = { fn, name, params, emit, setEmitter, progress, concurrency, onBatch };
    if (init !== null) await init(initInput(stream), params);
    const entries = stream instanceof Records ? countBlocks(stream, progress) : stream;
    const done = isIterable(entries) ? mapAll(entries, mapRun) : mapAsync(entries, mapRun);
    if (done !== undefined) await done;
  } else {
    const pairs = counted(stream, progress, onBatch);
    if (init !== null) await init(initInput(pairs), params);
    const fold = reduceFold(fn);
    const done =
      fold === null
        ? reduceAll(pairs, { fn, name, params, emit, setEmitter: functions.emitter(plan.fn) })
        : runFoldReduce(fold, pairs, {
            emit,
            isSorted: plan.sort !== false,
            tableBytes: shares.inputBytes / 2,
            sortBytes: shares.inputBytes / 2,
            scratchDir: job.scratchDir,
          });
    if (done !== undefined) await done;
  }
  flush();
}

/** The pairs of a reduce, counted as they are read. */
function counted(stream: Stream<unknown>, progress: Progress, onBatch = (): void => {}): Stream<unknown> {
  return isIterable(stream) ? countRecords(stream, progress, onBatch) : countAsync(stream, progress, onBatch);
}

interface Vector {
  readonly map: VectorMap;
  readonly run: typeof runVectorMap;
}

/** Built-in maps over text run in kernels of their own, which are loaded when one is there; `null`: the ordinary loop. */
async function openVector(task: WorkerTask, plan: StagePlan, functions: StageFunctions): Promise<Vector | null> {
  const fn = functions.get(plan.fn);
  if (plan.kind !== "map" || plan.external !== undefined || task.input.kind !== "inputs" || ownRecipe(fn) === undefined)
    return null;
  const { vectorMap, runVectorMap } = await import("./vector/vector-map.ts");
  const chain = plan.inputStream.map((ref, i) => functions.named(ref, `inputStream[${i}]`));
  const map = vectorMap({ map: fn, hasInit: plan.init !== null, chain, inputs: task.input.inputs });
  return map === null ? null : { map, run: runVectorMap };
}

async function openInput(
  job: BoundJob,
  task: WorkerTask,
  plan: StagePlan,
  functions: StageFunctions,
  params: unknown,
  progress: Progress,
  vector: Vector | null,
): Promise<OpenedInput> {
  const isMap = plan.kind === "map" && task.input.kind === "inputs";
  const inputPlan: InputPlan = {
    chain: vector?.map.chain ?? plan.inputStream.map((ref, i) => functions.named(ref, `inputStream[${i}]`)),
    defaultReader: isMap
      ? { name: "mapLineReader", fn: mapLineReader as never }
      : { name: "chainReader", fn: chainReader as never },
    sort: plan.sort,
    params,
    budgetBytes: memoryShares(job.data.memoryLimitBytes).inputBytes,
    recordBytesMax: recordBytesMax(job.data.memoryLimitBytes),
    scratchDir: job.scratchDir,
  };
  if (task.input.kind === "inputs") return openInputs(task.input.inputs, inputPlan, job.context, progress);
  if (task.manifestFile === undefined)
    throw new DiscoError("a task over a stage came without its manifest", { code: "bad-task" });
  const before = job.stage(task.input.stage);
  const source = {
    input: task.input,
    manifestFile: task.manifestFile,
    dataDir: job.binding.dataDir,
    isFormatted: isFormatted(before),
    stageName: before.name,
  };
  return openStageInput(source, inputPlan, progress);
}

function openOutput(
  job: BoundJob,
  task: WorkerTask,
  plan: StagePlan,
  functions: StageFunctions,
  params: unknown,
): TaskOutputWriter {
  const format: OutputFormat | null = isFormatted(plan)
    ? {
        chain: plan.outputStream.map((ref, i) => functions.named(ref, `outputStream[${i}]`)),
        writer: functions.optional(plan.writer),
        params,
      }
    : null;
  const outputPlan: OutputPlan = {
    host: job.binding.host,
    dataDir: job.binding.dataDir,
    jobDir: job.binding.jobDir,
    name: attemptName(task),
    partitions: plan.partitions,
    label: labelOf(task),
    sorted: plan.sortOutput,
    format,
    budgetBytes: memoryShares(job.data.memoryLimitBytes).outputBytes,
    recordBytesMax: recordBytesMax(job.data.memoryLimitBytes),
  };
  if (plan.final) return finalOutput(outputPlan);
  return intermediateOutput(outputPlan, job.segment(task.stage));
}

/** The user chose how this stage's pairs become bytes. */
function isFormatted(plan: StagePlan): boolean {
  return plan.writer !== null || plan.outputStream.length > 0;
}

function abort(output: TaskOutputWriter | null): void {
  try {
    output?.abort();
  } catch {
    // The failure that led here says more; what is left goes with the job.
  }
}

function labelOf(task: WorkerTask): number {
  return task.group.label ?? 0;
}

function attemptName(task: WorkerTask): string {
  return `${fileName(task.stageName)}-${task.task}-${task.attempt}`;
}

function openOob(job: BoundJob, task: WorkerTask, plan: StagePlan): OobValues {
  return new OobValues({
    job: task.job,
    host: job.binding.host,
    dataDir: job.binding.dataDir,
    jobDir: job.binding.jobDir,
    attempt: `${fileName(plan.name)}-${task.task}-${task.attempt}`,
    committed: task.oob ?? {},
    context: job.context,
  });
}

function taskState(job: BoundJob, task: WorkerTask, plan: StagePlan, oob: OobValues): Parameters<typeof setTask>[0] {
  return {
    jobName: task.job,
    host: job.binding.host,
    master: job.binding.master,
    stage: plan.name,
    id: task.task,
    attempt: task.attempt,
    partition: labelOf(task),
    inputs: task.input.kind === "inputs" ? task.input.inputs.map((input) => input.replicas[0] ?? "") : [],
    random: seededRandom(job.data.seed, task.stage, task.task),
    put: (key, value) => oob.put(key, value),
    get: (key, from) => oob.get(key, from),
  };
}
