/** From the bytes of a job pack to what the master needs of it, or the reason why not. */
import { readFile } from "node:fs/promises";
import type { JobSpec } from "../core/job/spec.ts";
import { JobError } from "../errors.ts";
import { decodeJobPack, jobSpecOf } from "../protocol/jobpack.ts";
import { checkSpec } from "./spec-check.ts";

/** @throws JobError code `bad-jobpack` */
export function acceptPack(pack: Uint8Array): JobSpec {
  const spec = jobSpecOf(decodeJobPack(pack).jobdict);
  if (spec === undefined) {
    throw new JobError("the job pack is refused: it was not made by disco-mapreduce", {
      code: "bad-jobpack",
      hint: "Jobs of Disco's Python client come with a later release.",
    });
  }
  return checkSpec(spec);
}

/** As `acceptPack`, with a pack that is a file. */
export async function acceptPackFile(file: string): Promise<{ spec: JobSpec; bytes: number }> {
  const pack = await readFile(file);
  return { spec: acceptPack(pack), bytes: pack.byteLength };
}
