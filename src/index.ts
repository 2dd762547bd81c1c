/**
 * disco-mapreduce: a job is two small functions and one call.
 *
 * These are the public names, listed by hand; everything else is internal. Importing this module must stay cheap: it loads
 * neither the engine nor a bundler nor a command line (`client/light-import.test.ts`).
 */

// First: the check comes before anything that an older Node cannot load.
import "./node-version.ts";

export type { RunContext } from "./cli/run/job-module.ts";
export { DDFS } from "./client/ddfs/ddfs.ts";
export type { TagContents } from "./client/ddfs/ddfs-api.ts";
export type {
  ChunkInput,
  ChunkOptions,
  DdfsOptions,
  PullOptions,
  Pushed,
  PushOptions,
  PushProgress,
  TagReadOptions,
  TagUpdateOptions,
  TagWalkOptions,
  TagWriteOptions,
} from "./client/ddfs/ddfs-options.ts";
export type { PulledBlob } from "./client/ddfs/pulled-blob.ts";
export type { BlobChunks, BlobData, PushFile } from "./client/ddfs/push-source.ts";
export type { BlobReplicas, TagVisit } from "./client/ddfs/tag-graph.ts";
export { Disco } from "./client/disco.ts";
export type { DiscoOptions, EventsOptions, RequestOptions, ResultsOptions } from "./client/disco-options.ts";
export { type ExternalFunction, type ExternalOptions, external } from "./client/external.ts";
export type {
  Combiner,
  InitFunction,
  MapResult,
  Pair,
  Pairs,
  Partitioner,
  Reader,
  ReaderChain,
  ReduceOutput,
  WriterChain,
} from "./client/infer.ts";
export { Job } from "./client/job.ts";
export { JobDict } from "./client/job-dict.ts";
export { jobname } from "./client/job-name.ts";
export type { JobOptions, SchedulerOptions, StageOptions } from "./client/job-options.ts";
export type { JobEvent, JobInfo, JobListEntry, NodeInfo, StageInfo } from "./client/master-api.ts";
export type {
  ClassicJobDict,
  HomeFileSource,
  JobHomeSource,
  JobPackContents,
  PipelineJobDict,
} from "./client/packs/contents.ts";
export { JobPack, type PackedHomeFile } from "./client/packs/pack.ts";
export { Params } from "./client/params.ts";
export type { CpuProfile, CpuProfileNode } from "./client/profile/cpu-profile.ts";
export type { ProfiledFunction } from "./client/profile/functions.ts";
export type { PrintStatsOptions } from "./client/profile/print-stats.ts";
export type { ProfileStats } from "./client/profile/profile-stats.ts";
export { parseDir } from "./client/result-addresses.ts";
export {
  type ResultIterator,
  type ResultOptions,
  type ResultSource,
  resultIterator,
} from "./client/result-iterator.ts";
export type { InputAddress, JobInput, JobRef, ResultItem, Results } from "./client/results.ts";
export type { Show } from "./client/show-events.ts";
export type { WaitOptions } from "./client/wait.ts";
export type { Grouping, JobStatus } from "./core/job/spec.ts";
export {
  CommError,
  DataError,
  DiscoError,
  type DiscoErrorDetails,
  JobError,
  type RetryPolicy,
  type TaskFailure,
} from "./errors.ts";
export { sum as sumCombiner, sum as sumReduce } from "./fn/folds.ts";
export { type Group, kvgroup } from "./worker/kvgroup.ts";
export { nopMap, nopReduce } from "./worker/nop.ts";
export { defaultPartition, makeRangePartition } from "./worker/partition.ts";
export { bytesReader } from "./worker/streams/bytes.ts";
export { chainReader } from "./worker/streams/chain.ts";
export { gzipReader, zstdReader } from "./worker/streams/compressed.ts";
export { type CsvOptions, csvReader } from "./worker/streams/csv.ts";
export { jsonlReader } from "./worker/streams/jsonl.ts";
export { type LineOptions, lineReader, mapLineReader } from "./worker/streams/lines.ts";
export { netstrReader, netstrWriter } from "./worker/streams/netstr.ts";
export { objectReader, objectWriter } from "./worker/streams/objects.ts";
export { reReader } from "./worker/streams/regexp.ts";
export type {
  ByteSink,
  InputStream,
  OutputStream,
  OutputStreamFactory,
  Stream,
  Writer,
} from "./worker/streams/stream.ts";
export { task } from "./worker/task.ts";
