/**
 * Tags as inputs of a job: an input for each blob, with its replicas and the nodes that have them; first the tag's own in their order, then
 * those of each tag to which it links, none of which is visited twice.
 */
import type { InputSpec } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { badInput } from "../replicas.ts";
import { walkTags } from "./tag-graph.ts";
import type { TagSource } from "./tag-registry.ts";
import { blobsOfTag, isAt, placeOfTag, walkingOf } from "./tag-sources.ts";

/** Their errors say what is wrong with an input. */
const ofInputs: ReadonlySet<string> = new Set(["unknown-tag", "bad-name", "tag-unauthorized"]);

/** `place` is where in the options the address stands. @throws JobError `bad-input`, `unknown-tag`, `bad-name`, `tag-unauthorized` */
export async function tagInputs(
  url: string,
  place: string,
  master: TagSource | undefined,
  specOf: (replicas: readonly string[], place: string) => InputSpec,
): Promise<InputSpec[]> {
  const specs: InputSpec[] = [];
  const add = (replicas: readonly string[]): void => void specs.push(specOf(replicas, place));
  try {
    const { host } = placeOfTag(url);
    if (master === undefined || (host !== null && !isAt(master, host))) (await blobsOfTag(url)).forEach(add);
    else {
      for await (const [, , blobs] of walkTags(await master.ddfs(), url, walkingOf())) blobs.forEach(add);
    }
  } catch (error) {
    if (!(error instanceof DiscoError) || !ofInputs.has(error.code)) throw error;
    throw badInput(`${place}: ${error.message}`, error.hint, error.code);
  }
  return specs;
}
