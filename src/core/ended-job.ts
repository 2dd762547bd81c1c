/** What stays of a job that has ended: enough to answer questions about it and to delete its files, and no more. */
import type { JobInfo, StageInfo } from "../client/master-api.ts";
import type { TaskFailure } from "../errors.ts";
import type { OobEntry } from "./job/info.ts";
import { infoOf, nothingRuns, oobOf, stageResultsOf } from "./job/info.ts";
import type { JobMachine } from "./job/machine.ts";

/** Addresses of inputs that are kept; all of them are in the job pack. */
export const endedInputsMax = 1_000;

/** Outputs whose addresses are kept, of a job whose files stay: a megabyte of the state. */
export const endedOutputsMax = 10_000;

export interface EndedJob {
  readonly name: string;
  readonly owner: string;
  /** As in `JobInfo`. */
  readonly worker?: string;
  readonly status: "ready" | "dead";
  readonly submittedAt: number;
  readonly endedAt: number;
  readonly stages: readonly StageInfo[];
  readonly inputs: readonly string[];
  readonly results: readonly string[];
  readonly reason: string | null;
  readonly failure: TaskFailure | null;
  readonly peakRss: number;
  readonly oob: readonly OobEntry[];
  /** Nodes that may hold files of it. */
  readonly nodes: readonly string[];
  readonly key: string | null;
  /** Lines of its log that the master decided (`Log.line`). Absent: it ended under a release that did not count them. */
  readonly lines?: number;
  /** Nodes that keep its pack. Absent: none. */
  readonly holders?: readonly string[];
  /** SHA-256 of its pack, hex. Absent: the journal does not say. */
  readonly packSha256?: string;
  /** Its intermediate files stay. Absent: it ended under a release that did not note it. */
  readonly keep?: boolean;
  /** By stage: addresses of its outputs, which stay with the files. Only of jobs that bring their worker along. */
  readonly outputs?: readonly (readonly string[])[];
}

export function endJob(job: JobMachine): EndedJob {
  const info = infoOf(job, nothingRuns);
  return {
    name: info.name,
    owner: info.owner,
    ...(info.worker === undefined ? {} : { worker: info.worker }),
    status: job.status === "ready" ? "ready" : "dead",
    submittedAt: info.submittedAt,
    endedAt: job.endedAt ?? info.submittedAt,
    stages: info.stages,
    inputs: info.inputs.slice(0, endedInputsMax),
    results: info.results,
    reason: info.reason,
    failure: info.failure,
    peakRss: info.peakRss,
    oob: oobOf(job),
    nodes: [...job.hosts].sort(),
    key: job.key,
    lines: job.out.lines,
    keep: job.spec.keep,
    ...(info.worker === undefined ? {} : { outputs: outputsOf(job) }),
    ...(job.holders.length === 0 ? {} : { holders: job.holders }),
    ...(job.packSha256 === null ? {} : { packSha256: job.packSha256 }),
  };
}

/** Clients of Disco ask for results of stages after the end as well (`mapresults`). */
function outputsOf({ stages, spec }: JobMachine): string[][] {
  const outputs: string[][] = [];
  let left = endedOutputsMax;
  for (const stage of stages) {
    left -= stage.tasks;
    if (left < 0 || !stage.complete) break;
    outputs.push(stageResultsOf(stage, spec));
  }
  return outputs;
}

export function infoOfEnded(job: EndedJob): JobInfo {
  const {
    oob: _oob,
    nodes: _nodes,
    key: _key,
    lines: _lines,
    holders: _holders,
    keep: _keep,
    packSha256: _sha256,
    outputs: _outputs,
    ...info
  } = job;
  // Records of earlier releases do not have the number of queued tasks.
  return { ...info, stages: info.stages.map((stage) => ({ ...stage, queued: 0 })), hosts: [], waits: [] };
}
