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
/** `inputsMax`: as of all inputs. `linesMax`: of all indexes together; a minute of reading. */
const usualLimits = { inputsMax: 1_000_000, linesMax: 50_000_000 };

const isIndex = (input: InputSpec): boolean => input.replicas[0]?.startsWith("dir://") === true;

/** There are indexes to be read before the job can start. */
export function hasIndexInputs({ worker, inputs }: JobSpec): boolean {
  return worker?.packVersion === 1 && inputs.some(isIndex);
}

/** @throws JobError `bad-input` naming an index that cannot be read */
export async function withLabelledInputs(
  spec: JobSpec,
  readIndex: ReadIndex,
  { inputsMax, linesMax } = usualLimits,
): Promise<JobSpec> {
  const isWhole = spec.pipeline[0]?.grouping === "group_all";
  const lists: (readonly InputSpec[])[] = new Array(spec.inputs.length);
  let next = 0;
  let found = 0;
  let lines = 0;
  let isRefused = false;
  const lane = async (): Promise<void> => {
    while (next < spec.inputs.length && !isRefused) {
      const at = next++;
      const input = spec.inputs[at] as InputSpec;
      let list: readonly InputSpec[] = [input];
      if (isIndex(input)) {
        const entries = await read(input.replicas[0] as string, readIndex);
        if (isRefused) return;
        lines += entries.length;
        list = inputsOf(input, entries, isWhole);
      }
      found += list.length;
      // As soon as it is known: a pack of a few megabytes may name one large index a hundred thousand times.
      if (found > inputsMax) throw tooMany(`inputs have more than ${inputsMax} labels`);
      if (lines > linesMax) throw tooMany(`indexes have more than ${linesMax} lines`);
      lists[at] = list;
    }
  };
  const running = Array.from({ length: Math.min(lanes, spec.inputs.length) }, async () => {
    // The others read no more for nothing.
    await lane().catch((error: unknown) => {
      isRefused = true;
      throw error;
    });
  });
  await Promise.all(running);
  return { ...spec, inputs: lists.flat() };
}

function tooMany(what: string): JobError {
  return new JobError(`its ${what} together`, { code: "bad-jobpack" });
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
