/** Starts a job: checks, packs and sends it. Nothing is sent of a job that has anything wrong with it. */
import type { JobSpec } from "../core/job/spec.ts";
import { callingScripts } from "./calling-scripts.ts";
import type { Disco } from "./disco.ts";
import type { JobPlace } from "./engine.ts";
import { firstTasks } from "./first-tasks.ts";
import { type JobDict, packOf } from "./job-dict.ts";
import { checkPrefix } from "./job-name.ts";
import type { AnyJobOptions } from "./job-options.ts";
import type { PackedJob } from "./job-pack.ts";
import { memoryLimitOf } from "./job-settings.ts";
import { keepAlive } from "./keep-alive.ts";
import { validateOptions } from "./validate.ts";

/** Returns the job's unique name. Throws `JobError`. */
export function submitJob(disco: Disco, name: string, jobDict: AnyJobOptions | JobDict): Promise<string> {
  return keepAlive(submit(disco, name, jobDict));
}

async function submit(disco: Disco, name: string, jobDict: AnyJobOptions | JobDict): Promise<string> {
  const prefix = checkPrefix(name);
  const packed = packOf(jobDict);
  const options = { ...jobDict, ...disco.jobOptions } as AnyJobOptions;
  if (packed === undefined) validateOptions(jobDict as AnyJobOptions);
  const scripts = callingScripts();
  // The engine starts while the job is being packed.
  const opening = disco.master(
    packed === undefined ? { memoryLimitBytes: memoryLimitOf(options), tasks: firstTasks(options) } : undefined,
  );
  opening.catch(() => {});
  const { pack, spec }: { readonly pack: Uint8Array; readonly spec?: JobSpec } =
    packed === undefined
      ? await makePack(prefix, options, disco, scripts)
      : { pack: await renamed(prefix, packed, disco.place) };
  const master = await opening;
  const unique = await master.submit(pack, {
    idempotencyKey: crypto.randomUUID(),
    ...(spec === undefined ? {} : { spec }),
  });
  disco.submitted(unique);
  return unique;
}

async function makePack(
  prefix: string,
  options: AnyJobOptions,
  { place, tags }: Disco,
  scripts: ReadonlyMap<string, string>,
): Promise<PackedJob> {
  const { packJob } = await import("./job-pack.ts");
  // Workers of this machine import the source where it lies; elsewhere there is nothing but what the pack brings along.
  return packJob(options, { portable: place.kind === "elsewhere", prefix, place, tags, scripts });
}

async function renamed(prefix: string, packed: Uint8Array, place: JobPlace): Promise<Uint8Array> {
  const { inputsOf, renamePack } = await import("./job-unpack.ts");
  if (place.kind === "elsewhere") {
    const { assertReachable } = await import("./local-input.ts");
    for (const [i, urls] of inputsOf(packed).entries())
      for (const url of urls) assertReachable(url, `input[${i}]`, place);
  }
  return renamePack(packed, prefix);
}
