/** Runs what the module exports and waits for it. Returns the results to show, `null` if there are none to show. */

import { Job } from "../../client/job.ts";
import type { JobDict } from "../../client/job-dict.ts";
import { isJobDict, jobNameOf, loadJob, type RunContext } from "./job-module.ts";
import type { RunOptions } from "./options.ts";
import { applyOptions } from "./overrides.ts";
import type { Session } from "./session.ts";

export async function runModule(
  session: Session,
  file: string,
  inputs: string[],
  options: RunOptions,
): Promise<string[] | null> {
  const exported = await loadJob(file);
  const submit = async (dict: Record<string, unknown>, replaceInput: boolean): Promise<string[]> => {
    const ready = applyOptions(dict, replaceInput ? inputs : [], options);
    const name = options.name ?? (typeof ready["prefix"] === "string" ? ready["prefix"] : jobNameOf(file));
    const job = await session.disco.newJob(name, ready as unknown as JobDict);
    return job.wait();
  };
  if (exported.kind === "dict") return submit(exported.dict, true);
  const value = await exported.call(contextOf(session, inputs, options));
  // A function has seen the inputs and decided what to do with them.
  if (isJobDict(value)) return submit(value, false);
  if (value instanceof Job) return value.wait();
  return isResults(value) ? value : null;
}

function contextOf(session: Session, inputs: string[], { params, partitions, name }: RunOptions): RunContext {
  return {
    disco: session.disco,
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
