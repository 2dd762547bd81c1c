/**
 * Starts what the module exports. What is done with its job is the caller's: `disco run` waits for it, `disco submit` does not.
 * Returns the results to show, `null` if there are none to show.
 */
import type { Disco } from "../../client/disco.ts";

import { Job } from "../../client/job.ts";
import type { JobDict } from "../../client/job-dict.ts";
import { isJobDict, jobNameOf, loadJob, type RunContext } from "./job-module.ts";
import type { JobModuleOptions } from "./options.ts";
import { applyOptions } from "./overrides.ts";

export async function runModule(
  disco: Disco,
  file: string,
  inputs: string[],
  options: JobModuleOptions,
  finish: (job: Job) => Promise<string[] | null>,
): Promise<string[] | null> {
  const exported = await loadJob(file);
  const submit = async (dict: Record<string, unknown>, replaceInput: boolean): Promise<string[] | null> => {
    const ready = applyOptions(dict, replaceInput ? inputs : [], options);
    const name = options.name ?? (typeof ready["prefix"] === "string" ? ready["prefix"] : jobNameOf(file));
    return finish(await disco.newJob(name, ready as unknown as JobDict));
  };
  if (exported.kind === "dict") return submit(exported.dict, true);
  const value = await exported.call(contextOf(disco, inputs, options));
  // A function has seen the inputs and decided what to do with them.
  if (isJobDict(value)) return submit(value, false);
  if (value instanceof Job) return finish(value);
  return isResults(value) ? value : null;
}

function contextOf(disco: Disco, inputs: string[], { params, partitions, name }: JobModuleOptions): RunContext {
  return {
    disco,
    inputs,
    params,
    ...(partitions === undefined ? {} : { partitions }),
    ...(name === undefined ? {} : { name }),
  };
}

function isResults(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((url) => typeof url === "string" && /^\w+:\/\//.test(url))
  );
}
