/**
 * Inputs of version 1 jobs that are indexes of results (`dir://`): a chain of jobs hands them on. Disco reads each index when the job
 * starts, as its labels say which tasks there are: with `split` and `group_label` there is one for each label in it, which reads
 * its own lines of the index; with `group_all` the one task reads all of them.
 */
import type { InputSpec, JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import type { IndexEntry } from "../schemes/dir.ts";
import type { ReadIndex } from "./index-reader.ts";

/** Indexes that are read at once. */
const lanes = 16;
/** As of all inputs. */
const inputsMax = 1_000_000;

const isIndex = (input: InputSpec): boolean => input.replicas[0]?.startsWith("dir://") === true;

/** There are indexes to be read before the job can start. */
export function hasIndexInputs({ worker, inputs }: JobSpec): boolean {
  return worker?.packVersion === 1 && inputs.some(isIndex);
}

/** @throws JobError `bad-input` naming an index that cannot be read */
export async function withLabelledInputs(spec: JobSpec, readIndex: ReadIndex): Promise<JobSpec> {
  const isWhole = spec.pipeline[0]?.grouping === "group_all";
  const lists: (readonly InputSpec[])[] = new Array(spec.inputs.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < spec.inputs.length) {
      const at = next++;
      const input = spec.inputs[at] as InputSpec;
      if (!isIndex(input)) lists[at] = [input];
      else lists[at] = inputsOf(input, await read(input.replicas[0] as string, readIndex), isWhole);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, spec.inputs.length) }, lane));
  const inputs = lists.flat();
  if (inputs.length > inputsMax) {
    throw new JobError(`its inputs have ${inputs.length} labels together, the limit is ${inputsMax}`, {
      code: "bad-jobpack",
    });
  }
  return { ...spec, inputs };
}

function inputsOf(input: InputSpec, entries: readonly IndexEntry[], isWhole: boolean): InputSpec[] {
  const sizes = new Map<number, number>();
  for (const { label, size } of entries) sizes.set(label, (sizes.get(label) ?? 0) + size);
  if (isWhole) {
    const size = [...sizes.values()].reduce((sum, one) => sum + one, 0);
    return sizes.size === 0 ? [] : [{ ...input, label: 0, size, everyLabel: true }];
  }
  return [...sizes].sort(([a], [b]) => a - b).map(([label, size]) => ({ ...input, label, size }));
}

async function read(url: string, readIndex: ReadIndex): Promise<readonly IndexEntry[]> {
  try {
    return await readIndex(url);
  } catch (cause) {
    throw new JobError(`its input ${url} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      code: "bad-input",
      cause,
      hint: "It is an index of results: the job that made it may have been purged, or its node is away.",
    });
  }
}
